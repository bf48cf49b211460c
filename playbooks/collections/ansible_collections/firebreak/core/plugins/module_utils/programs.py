"""Runs a firewall's programs with a time limit. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import subprocess
import tempfile


class Ended:
    """How a program ended: status is None if it exceeded the time limit."""

    def __init__(self, status, output):
        self.status = status
        self.output = output


def run_bounded(argv, seconds):
    """Runs a program in a session of its own and ends the whole session at the time limit.

    The output goes to a file instead of a pipe, because a child that the program leaves behind would hold a pipe open.
    """
    with tempfile.TemporaryFile() as output, open(os.devnull, "rb") as nothing:
        child = subprocess.Popen(
            argv, stdin=nothing, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, close_fds=True
        )
        try:
            status = child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            status = None
        output.seek(0)
        return Ended(status, output.read().decode("utf-8", "replace"))


def last_words(output):
    """The end of a program's output, on one line."""
    return " ".join(output.split())[-300:]
