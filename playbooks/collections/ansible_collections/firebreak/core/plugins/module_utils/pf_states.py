"""Kills the connections that a new block would leave open, because pf checks its states before its rules."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import time

from ansible_collections.firebreak.core.plugins.module_utils.programs import run_bounded

# For more than these, pf is asked once for all its states, and only those that have one are killed.
MAX_UNCHECKED = 32
MAX_SECONDS = 20

ADDRESS = re.compile(r"[0-9A-Fa-f.:]*[0-9A-Fa-f]")


def kill_states(pfctl, kind, pairs):
    """Returns for how many pairs (or sources) it was done. A failure here does not undo a proven block."""
    if kind == "none":
        return 0
    if kind == "pair":
        targets = [tuple(pair.split()) for pair in pairs]
    else:
        targets = [tuple(pair.split()[:1]) for pair in pairs]
    targets = list(dict.fromkeys(targets))
    if len(targets) > MAX_UNCHECKED:
        targets = filter_by_states(pfctl, targets)
    deadline = time.time() + MAX_SECONDS
    killed = 0
    for ends in targets:
        if time.time() > deadline:
            break
        argv = [pfctl]
        for end in ends:
            argv += ["-k", end]
        killed += run_bounded(argv, 5).status == 0
    return killed


def filter_by_states(pfctl, targets):
    ended = run_bounded([pfctl, "-ss"], 10)
    if ended.status != 0:
        return targets
    seen = set()
    for line in ended.output.splitlines():
        hosts = hosts_of(line)
        seen.update((host,) for host in hosts)
        seen.update((one, other) for one in hosts for other in hosts)
    return [ends for ends in targets if ends in seen or any("/" in end for end in ends)]


def hosts_of(line):
    """Hosts of a line such as `all tcp 192.168.1.10:22 (198.51.100.2:22) <- 203.0.113.7:4711 ...`."""
    hosts = set()
    for word in line.replace("(", " ").replace(")", " ").split():
        host = word.split("[")[0]  # IPv6 has the form 2001:db8::7[22]
        if host == word and word.count(":") == 1:
            host = word.split(":")[0]
        if ("." in host or ":" in host) and ADDRESS.match(host):
            hosts.add(host.lower())
    return hosts
