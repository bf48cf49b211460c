"""Reads a firewall's network interfaces: its own addresses are never blocked. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.firebreak.core.plugins.module_utils.programs import run_bounded

NAME = re.compile(r"([^\s:]+): flags=")
# "\tinet6 fe80::1%em0 prefixlen 64": the zone after the address has no meaning on another machine.
INET = re.compile(
    r"\s+inet6? (?:addr:)?([0-9A-Fa-f.:]+)(?:%\S+)?(?: --> \S+)?(?:\s+(?:netmask (?:0x)?([0-9A-Fa-f.]+)|prefixlen ([0-9]+)))?"
)
GROUPS = re.compile(r"\s+groups: (.+)")

# The controller refuses an answer with more addresses than these.
MAX_ADDRESSES = 256


class Nic:
    """A network interface as it is now."""

    def __init__(self):
        self.addresses = []
        self.networks = []  # each address with the length of its network, such as 192.168.1.1/24
        self.groups = []


def find_addresses(configured, nics):
    """The configured addresses and those of the interfaces (by DHCP, for instance), without loopback and link-local."""
    found = set(configured)
    for nic in nics.values():
        found.update(nic.addresses)
    own = (each for each in found if not each.lower().startswith(("127.", "::1", "fe80:", "0.0.0.0")))
    return sorted(own)[:MAX_ADDRESSES]


def read_nics(ifconfig, seconds=5):
    """The interfaces by name; none if ifconfig fails."""
    try:
        ended = run_bounded([ifconfig], seconds)
    except OSError:
        return {}
    return parse_nics(ended.output) if ended.status == 0 else {}


def parse_nics(output):
    nics = {}
    nic = nics[""] = Nic()
    for line in output.splitlines():
        name, inet, groups = NAME.match(line), INET.match(line), GROUPS.match(line)
        if name:
            nic = nics[name.group(1)] = Nic()
        elif inet:
            address, mask, length = inet.groups()
            nic.addresses.append(address)
            if mask or length:
                nic.networks.append("%s/%d" % (address, int(length) if length else count_bits(mask)))
        elif groups:
            nic.groups += groups.group(1).split()
    return nics


def count_bits(mask):
    """24 for ffffff00 (pfSense) and for 255.255.255.0."""
    parts = [int(part) for part in mask.split(".")] if "." in mask else [int(mask, 16)]
    return sum(bin(part).count("1") for part in parts)
