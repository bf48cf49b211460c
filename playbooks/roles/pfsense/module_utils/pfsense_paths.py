"""Finds by which interface a packet enters, from pfSense's configuration. Runs on the firewall, with Python 3.6 and up.

A rule on another interface stands in pf and never meets the packet. Where the configuration does not tell the way of a
packet, nothing is said about it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import ipaddress
import re
from functools import lru_cache

MAX_NETWORKS = 256
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}$")

# The class that pfSense makes rules for, by the name of a network interface.
CLASSES = ((re.compile(r"ovpn[sc][0-9]+$"), "openvpn"), (re.compile(r"(?:enc|ipsec)[0-9]+$"), "enc0"))


class Paths:
    """What a firewall's configuration and its interfaces (see addresses.read_nics) say about the ways of packets."""

    def __init__(self, config, nics):
        self.config = config
        self.nics = nics
        self.own = list(self.find_own())
        self.groups = {entry.get("ifname"): entry.get("members", "").split() for entry in self.find("ifgroups/ifgroupentry")}
        self.bridges = {entry.get("bridgeif"): entry.get("members", "").split(",") for entry in self.find("bridges/bridged")}
        self.bridged = set(sum(self.bridges.values(), []))  # keys of members
        # (network, key of the interface, whether its hosts reach each other directly)
        self.networks = list(self.find_networks())

    def find(self, kind):
        return self.config.entries.get(kind, [])

    def find_own(self):
        """The addresses that the firewall answers for."""
        now = [address for nic in self.nics.values() for address in nic.addresses]
        ranges = ["%s/%s" % (entry.get("subnet"), entry.get("subnet_bits")) for entry in self.find("virtualip/vip")
                  if entry.get("mode") in ("proxyarp", "other")]  # fmt: skip
        return filter(None, map(to_network, self.config.addresses + now + ranges))

    # ---- which network is behind which interface ----

    def find_networks(self):
        for key, entry in self.config.keys.items():
            if self.config.interfaces.get(key):
                nic = self.nic_of(key)
                # Between the members of a bridge pfSense filters, and between the clients of a VPN its server decides.
                is_direct = not self.is_bridged(key) and class_of(nic) is None
                for network in self.find_attached(entry, nic):
                    yield network, key, is_direct
        for key, texts in (("openvpn", self.find_openvpn()), ("enc0", self.find_ipsec())):
            if self.config.interfaces.get(key):
                for network in filter(None, map(to_network, texts)):
                    yield network, key, False
        for network, key in self.find_routes():
            yield network, key, False

    def find_attached(self, entry, nic):
        """The networks of an interface: as configured, and those it has now (by DHCP, for instance)."""
        texts = [
            "%s/%s" % (entry.get(address), entry.get(length) or "none")
            for address, length in (("ipaddr", "subnet"), ("ipaddrv6", "subnetv6"))
        ]
        if nic in self.nics:
            texts += self.nics[nic].networks
        found = [network for network in map(to_network, texts) if network and not network.is_link_local]
        return [network for network in dict.fromkeys(found) if network.prefixlen < network.max_prefixlen]

    def find_openvpn(self):
        fields = ("tunnel_network", "tunnel_networkv6", "remote_network", "remote_networkv6")
        for kind in ("openvpn/openvpn-server", "openvpn/openvpn-client", "openvpn/openvpn-csc"):
            for entry in self.find(kind):
                if "disable" not in entry:
                    for field in fields:
                        for text in entry.get(field, "").split(","):
                            yield text.strip()

    def find_ipsec(self):
        for entry in self.find("ipsec/phase2"):
            if "disabled" not in entry and entry.get("mode") in ("tunnel", "tunnel6"):
                bits = "/" + entry.get("remoteid/netbits", "") if entry.get("remoteid/type") == "network" else ""
                yield entry.get("remoteid/address", "") + bits
        for entry in self.find("ipsec/client"):
            if "enable" in entry:
                yield "%s/%s" % (entry.get("pool_address"), entry.get("pool_netbits"))

    def find_routes(self):
        gateways = {entry.get("name"): entry.get("interface") for entry in self.find("gateways/gateway_item")}
        for route in self.find("staticroutes/route"):
            network, key = to_network(route.get("network", "")), gateways.get(route.get("gateway"))
            if network and "disabled" not in route and self.config.interfaces.get(key):
                yield network, key

    # ---- the way of a flow ----

    def find_entries(self, source):
        """(network, key, is_direct) of the longest prefix that contains the source: several where they overlap."""
        found = [each for each in self.networks if contains(each[0], source)]
        longest = max([each[0].prefixlen for each in found] or [0])
        return [each for each in found if each[0].prefixlen == longest]

    def find_problem(self, flow):
        """Why a rule for this flow never meets the flow's packets, or None where nothing is known against it."""
        name = flow["interface"]
        source, destination = to_network(flow["source"]), to_network(flow["destination"])
        if source is None or destination is None:
            return None  # a rule that was changed by hand
        entries = self.find_entries(source)
        for network, key, is_direct in entries:
            if is_direct and contains(network, destination) and not self.is_ours(destination):
                return "%s and %s are in the same network (%s): their packets do not pass the firewall" % (
                    flow["source"], flow["destination"], key,
                )  # fmt: skip
        if self.is_empty_group(name):
            return "group %s has no members" % name
        if entries and not any(self.is_filtered_on(name, key) for _, key, _ in entries):
            network, key, _ = entries[0]
            return "the source enters by %s (%s), not by %s" % (key, network, name)
        if self.nic_of(name) in self.bridges and not self.filters_on_bridges():
            return "%s is a bridge, whose packets pfSense filters on its members (%s)" % (
                name, ", ".join(self.bridges[self.nic_of(name)]),
            )  # fmt: skip
        return None

    def is_ours(self, destination):
        """Whether the firewall itself answers for an address of the destination."""
        return any(contains(destination, own) or contains(own, destination) for own in self.own)

    def is_filtered_on(self, name, key):
        """Whether the rules of `name` (an interface, a group, or a class of VPNs) meet what enters by `key`."""
        nic = self.nic_of(key)
        if self.is_bridged(key) or name in ("l2tp", "pppoe"):
            return True  # any member of the bridge; the addresses of these clients may be those of another interface
        is_member = key in self.groups.get(name, ()) or (nic in self.nics and name in self.nics[nic].groups)
        is_assigned = class_of(self.nic_of(name)) == key  # the class names no interface of its own: it may be any
        return name == key or is_member or is_assigned or class_of(nic) == name

    def is_empty_group(self, name):
        """The group of a package (WireGuard) has its members in the system only, which ifconfig shows."""
        if name not in self.groups or self.groups[name]:
            return False
        return bool(self.nics) and not any(name in nic.groups for nic in self.nics.values())

    def is_bridged(self, key):
        return key in self.bridged or self.nic_of(key) in self.bridges

    def filters_on_bridges(self):
        return any(
            entry.get("tunable") == "net.link.bridge.pfil_bridge" and entry.get("value") == "1"
            for entry in self.find("sysctl/item")
        )

    def nic_of(self, key):
        return self.config.keys.get(key, {}).get("if", "")

    def find_addresses_of(self, key):
        """The addresses of an interface, or None if they are unknown."""
        entry, nic = self.config.keys.get(key, {}), self.nic_of(key)
        texts = [entry.get("ipaddr", ""), entry.get("ipaddrv6", "")] + (self.nics[nic].addresses if nic in self.nics else [])
        return list(filter(None, map(to_network, texts))) or None

    # ---- what the launcher chooses an interface by ----

    def list_networks(self):
        found = sorted({(key, str(network)) for network, key, _ in self.networks if KEY.match(key)})
        return [{"interface": key, "network": network} for key, network in found][:MAX_NETWORKS]


def class_of(nic):
    return next((name for pattern, name in CLASSES if pattern.match(nic)), None)


@lru_cache(4096)  # a batch asks for the same texts for each of its flows
def to_network(text):
    """A network from text such as 192.168.1.1/24, or None: an alias, a default route, or nothing at all."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network if network.prefixlen else None


def contains(network, inner):
    if network.version != inner.version or network.prefixlen > inner.prefixlen:
        return False
    shift = network.max_prefixlen - network.prefixlen
    return int(network.network_address) >> shift == int(inner.network_address) >> shift
