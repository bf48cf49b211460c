"""Knows the firewall's interfaces, their groups and their addresses. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.firebreak.core.plugins.module_utils.pf_names import (
    MAX_LINE,
    MAX_LINES,
    Unreadable,
    network,
    read_address,
)

MASK = re.compile(r"^0x[0-9a-f]{8}$")


class Interfaces:
    """The firewall's interfaces: their groups, their addresses and whether pf leaves them alone (`set skip`).

    Made from a mapping {name: [group, ...]}, from the text of `ifconfig`, from that of `pfctl -sI -v`, or from both texts,
    one after the other. pfSense's groups are groups of the kernel, so ifconfig names them. What depends on groups or addresses
    that are not given is not known.
    """

    def __init__(self, given):
        self.groups, self.addresses, self.skipped = {}, {}, set()
        if hasattr(given, "items"):
            self.groups = {name: set(groups) for name, groups in given.items()}
        else:
            self.read(given or "")

    def read(self, text):
        name = None
        for line in text.split("\n")[:MAX_LINES]:
            words = line[:MAX_LINE].split()
            if not words:
                continue
            if line[0] not in " \t":
                name = words[0].rstrip(":")
                if len(words) > 1 and words[1] == "(skip)":
                    self.skipped.add(name)
                if words[0].endswith(":"):
                    self.groups.setdefault(name, set())
            elif words[0] == "groups:" and name:
                self.groups.setdefault(name, set()).update(words[1:])
            elif words[0] in ("inet", "inet6") and name and len(words) > 1:
                self.read_address(name, words)

    def read_address(self, name, words):
        address, _, bits = words[1].partition("/")
        found = read_address(address.split("%")[0])
        if found is None:
            return
        family, number = found
        options = dict(zip(words[2::2], words[3::2]))
        width = bits or options.get("prefixlen") or count_bits(options.get("netmask", ""))
        width = int(width) if width.isdecimal() else (32 if family == 4 else 128)
        self.addresses.setdefault(name, []).append((family, (number, number), network(family, number, width)))

    def holds(self, name, interface):
        """Whether `on NAME` matches a packet that enters by the interface: True, False, or None if it is not known.

        FreeBSD lets no group's name end in a digit, and gives every interface a name that does. Of a packet that enters by a
        group, it is not known by which of its interfaces.
        """
        if name in (interface, "all"):
            return True
        if name[-1:].isdecimal() and interface[-1:].isdecimal():
            return False
        return name in self.groups[interface] if interface in self.groups else None

    def ranges(self, text):
        """{family: ranges} of `self`, `em0` or `em0:network` in brackets, to which pfctl -vv adds how many they are."""
        name, *options = text.split(":")
        wants_network = "network" in options
        # ":0" is either no address or only the first.
        is_clear = all(each == "network" or (each != "0" and is_count(each)) for each in options)
        if not self.addresses or not is_clear:
            raise Unreadable("depends on the addresses of (%s), which are not known" % text[:40])
        found = {4: (), 6: ()}
        for interface, addresses in self.addresses.items():
            if name == "self" or self.holds(name, interface):
                for family, own, around in addresses:
                    found[family] += (around if wants_network else own,)
        return found


def is_count(word):
    return word == "*" or word.isdecimal()


def count_bits(mask):
    """The prefix length of a mask such as 0xffffff00, as text; "" if it is not one."""
    return str(bin(int(mask, 16)).count("1")) if MASK.match(mask) else ""
