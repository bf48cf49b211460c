"""Cuts the connections that a new block would otherwise leave open: pf looks at states before rules."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import time

from ansible.module_utils.pfsense_pf import run_bounded

# Above this many, pf is asked once for its states, and only those that have one are cut.
FEW = 32
LONGEST_SECONDS = 20

ADDRESS = re.compile(r"[0-9A-Fa-f.:]*[0-9A-Fa-f]")


def cut_states(pfctl, kind, pairs):
    """Gives how many pairs (or sources) were cut. A cut that fails does not undo a proven block."""
    if kind == "none":
        return 0
    if kind == "pair":
        wanted = [tuple(pair.split()) for pair in pairs]
    else:
        wanted = [tuple(pair.split()[:1]) for pair in pairs]
    wanted = list(dict.fromkeys(wanted))
    if len(wanted) > FEW:
        wanted = keep_those_with_states(pfctl, wanted)
    deadline = time.time() + LONGEST_SECONDS
    cut = 0
    for ends in wanted:
        if time.time() > deadline:
            break
        argv = [pfctl]
        for end in ends:
            argv += ["-k", end]
        cut += run_bounded(argv, 5).status == 0
    return cut


def keep_those_with_states(pfctl, wanted):
    ended = run_bounded([pfctl, "-ss"], 10)
    if ended.status != 0:
        return wanted
    seen = set()
    for line in ended.output.splitlines():
        hosts = addresses_in(line)
        seen.update((host,) for host in hosts)
        seen.update((one, other) for one in hosts for other in hosts)
    return [ends for ends in wanted if ends in seen or any("/" in end for end in ends)]


def addresses_in(line):
    """Hosts of a line such as `all tcp 192.168.1.10:22 (198.51.100.2:22) <- 203.0.113.7:4711 ...`."""
    hosts = set()
    for word in line.replace("(", " ").replace(")", " ").split():
        host = word.split("[")[0]  # IPv6 comes as 2001:db8::7[22]
        if host == word and word.count(":") == 1:
            host = word.split(":")[0]
        if ("." in host or ":" in host) and ADDRESS.match(host):
            hosts.add(host.lower())
    return hosts
