"""Reads which rules pf has loaded: the only proof that a block is in force. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import time

from ansible_collections.firebreak.core.plugins.module_utils.programs import last_words, run_bounded
from ansible_collections.firebreak.core.plugins.module_utils.refusal import Refusal

# Labels are free text and are removed before a line is parsed.
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
# "@12 block drop in ... ridentifier 2000000001"; older pf "@12(2000000001) block" or "tracker 2000000001".
RULE = re.compile(r"^@\d+(?:\((\d+)\))?\s+(\w+)\b(?:.*\s(?:ridentifier|tracker)\s+(\d+))?")
# Below a rule: "[ Evaluations: 12        Packets: 3         Bytes: 180         States: 0     ]".
PACKETS = re.compile(r"^\s+\[ Evaluations: \d+\s+Packets: (\d+)\s")
# The first line of `pfctl -si`: "Status: Enabled for 12 days 03:14:15           Debug: Urgent".
STATUS = re.compile(r"^Status: (Enabled|Disabled)\b", re.MULTILINE)

DISABLED = (
    "pf is disabled on the firewall, so no rule is in force: clear Disable Firewall in System > Advanced > "
    "Firewall & NAT, or run pfctl -e if it is clear already"
)


def list_enforced_rules(pfctl):
    """What `pfctl -vvsr` prints. A disabled pf still lists its rules and blocks nothing: that is a Refusal."""
    rules = list_rules(pfctl)
    refuse_if_disabled(pfctl)
    return rules


def list_rules(pfctl, seconds=10):
    """What `pfctl -vvsr` prints. The firewall's own files say what pf should load, not what it has loaded."""
    ended = run_pfctl(pfctl, "-vvsr", seconds)
    if ended.status != 0:
        reason = last_words(ended.output) or "no answer"
        raise Refusal("pfctl_failed", "%s -vvsr does not list the loaded rules: %s" % (pfctl, reason))
    return ended.output


def refuse_if_disabled(pfctl, seconds=10):
    ended = run_pfctl(pfctl, "-si", seconds)
    status = STATUS.search(ended.output)
    if ended.status != 0 or status is None:
        reason = last_words(ended.output) or "no answer"
        raise Refusal("pfctl_failed", "%s -si does not show whether pf is enabled: %s" % (pfctl, reason))
    if status.group(1) == "Disabled":
        raise Refusal("pf_disabled", DISABLED)


def run_pfctl(pfctl, option, seconds):
    try:
        return run_bounded([pfctl, option], seconds)
    except OSError as error:
        raise Refusal("pfctl_missing", "%s cannot be run on the firewall: %s" % (pfctl, error.strerror))


def parse_blocking_trackers(output):
    """The trackers of the block rules that `pfctl -vvsr` lists."""
    return set(read_blocking_tracker(line) for line in output.splitlines()) - {None}


def count_packets(output):
    """How many packets each block rule that `pfctl -vvsr` lists has stopped since pf loaded it, by tracker."""
    packets = {}
    tracker = None
    for line in output.splitlines():
        counters = PACKETS.match(line)
        if line[:1] == "@":
            tracker = read_blocking_tracker(line)
        elif tracker is not None and counters:
            packets[tracker] = packets.get(tracker, 0) + int(counters.group(1))
    return packets


def read_blocking_tracker(line):
    """The tracker of a block rule, from its line; None for any other line."""
    match = RULE.match(QUOTED.sub("", line)) if line[:1] == "@" else None
    number = match and match.group(2) == "block" and (match.group(3) or match.group(1))
    return int(number) if number else None


def wait_for_proof(pfctl, present, absent, seconds, check):
    """Queries pf until it blocks all trackers of `present` and none of `absent`, or the time limit is reached.

    After each query that shows a difference, `check(missing, lingering)` may raise a Refusal that explains it.
    A block is proven only if pf is enabled as well. Returns the rules that pf lists then, as text.
    """
    deadline = time.time() + seconds
    pause = 0.1
    while True:
        rules = list_rules(pfctl)
        blocking = parse_blocking_trackers(rules)
        missing, lingering = present - blocking, absent & blocking
        if not missing and not lingering:
            if present:
                refuse_if_disabled(pfctl)
            return rules
        check(missing, lingering)
        if time.time() + pause > deadline:
            raise Refusal("load_unproven", describe_unproven(missing, lingering, seconds))
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def describe_unproven(missing, lingering, seconds):
    """One sentence on the difference between pf and the trackers that it should block or not block."""
    parts = []
    if missing:
        parts.append("does not block %d of the rules (tracker %d)" % (len(missing), min(missing)))
    if lingering:
        parts.append("still blocks %d that were taken out (tracker %d)" % (len(lingering), min(lingering)))
    return "%d s after the reload pf %s" % (seconds, " and ".join(parts))
