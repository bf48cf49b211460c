"""Finds a firewall's own addresses, which are never blocked. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.firebreak.core.plugins.module_utils.programs import run_bounded

# "\tinet6 fe80::1%em0 prefixlen 64": the zone after the address has no meaning on another machine.
INET = re.compile(r"^\s+inet6? (?:addr:)?([0-9A-Fa-f.:]+)", re.MULTILINE)

# The controller refuses an answer with more addresses than these.
MAX_ADDRESSES = 256


def find_addresses(configured, ifconfig):
    """The configured addresses and those of the interfaces (by DHCP, for instance), without loopback and link-local."""
    found = set(configured + read_addresses(ifconfig))
    own = (each for each in found if not each.lower().startswith(("127.", "::1", "fe80:", "0.0.0.0")))
    return sorted(own)[:MAX_ADDRESSES]


def read_addresses(ifconfig, seconds=5):
    """The addresses that the interfaces have now; none if ifconfig fails."""
    try:
        ended = run_bounded([ifconfig], seconds)
    except OSError:
        return []
    return INET.findall(ended.output) if ended.status == 0 else []
