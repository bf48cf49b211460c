"""Asks pf what it really runs, and runs pfSense's programs within a bound of time. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import signal
import subprocess
import tempfile

from ansible.module_utils.pfsense_config import Refusal

# Labels are text that people write: they are taken away before a line is read.
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
# "@12 block drop in ... ridentifier 2000000001", in 2.4.5 "@12(2000000001) block" or "tracker 2000000001".
RULE = re.compile(r"^@\d+(?:\((\d+)\))?\s+(\w+)\b(?:.*\s(?:ridentifier|tracker)\s+(\d+))?")


class Ended:
    """How a program ended: status is None when its time was up."""

    def __init__(self, status, output):
        self.status = status
        self.output = output


def run_bounded(argv, seconds):
    """Runs a program in a session of its own and ends all of it when its time is up.

    Its output goes to a file, not to a pipe: a child that it leaves behind must not hold us up.
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


def read_blocking_trackers(pfctl, seconds=10):
    """The trackers that pf blocks by now. This is the only proof there is: pfSense's own files come before it."""
    try:
        ended = run_bounded([pfctl, "-vvsr"], seconds)
    except OSError as error:
        raise Refusal("pfctl_missing", "%s cannot be run on the firewall: %s" % (pfctl, error.strerror))
    if ended.status != 0:
        said = " ".join(ended.output.split())[-300:]
        raise Refusal("pfctl_failed", "%s -vvsr does not tell the loaded rules: %s" % (pfctl, said or "no answer"))
    return parse_blocking_trackers(ended.output)


def parse_blocking_trackers(output):
    blocking = set()
    for line in output.splitlines():
        match = RULE.match(QUOTED.sub("", line))
        if match and match.group(2) == "block":
            number = match.group(3) or match.group(1)
            if number:
                blocking.add(int(number))
    return blocking


# "\tinet6 fe80::1%em0 prefixlen 64": the zone behind the address is this machine's own matter.
INET = re.compile(r"^\s+inet6? (?:addr:)?([0-9A-Fa-f.:]+)", re.MULTILINE)


def read_addresses(ifconfig, seconds=5):
    """The addresses that the machine has by now, those that a server gave it too. None where it does not tell."""
    try:
        ended = run_bounded([ifconfig], seconds)
    except OSError:
        return []
    return INET.findall(ended.output) if ended.status == 0 else []


# More than these no answer may have; the controller refuses it then.
MOST_ADDRESSES = 256


def find_addresses(config, ifconfig):
    """The firewall's own, written down or given to it by now, none of them loopback or link-local."""
    found = set(config.addresses + read_addresses(ifconfig))
    own = (each for each in found if not each.lower().startswith(("127.", "::1", "fe80:", "0.0.0.0")))
    return sorted(own)[:MOST_ADDRESSES]
