"""Runs a firewall's programs with a time limit. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import subprocess
import tempfile
import threading

MAX_LINE = 4096


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


def run_streamed(argv, seconds, take_line):
    """Runs a program and hands each line of its output to take_line, until that returns False or the time is over.

    For an output that may be too large for the firewall's memory or for its disk. The program may leave no child behind.
    Returns the exit status, or None if the program was ended early.
    """
    with open(os.devnull, "r+b") as nothing:
        child = subprocess.Popen(
            argv, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, start_new_session=True, close_fds=True
        )
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    try:
        for line in iter(lambda: child.stdout.readline(MAX_LINE), b""):
            if not take_line(line.decode("ascii", "replace")):
                child.kill()
                break
    finally:
        child.stdout.close()
        status = child.wait()
        timer.cancel()
    return status if status >= 0 else None


def last_words(output):
    """The end of a program's output, on one line."""
    return " ".join(output.split())[-300:]
