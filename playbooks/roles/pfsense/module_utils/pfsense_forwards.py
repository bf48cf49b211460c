"""Finds where pfSense's port forwards and 1:1 NAT send a packet. Runs on the firewall, with Python 3.6 and up.

pf translates before it filters: a rule for the public side of a forward never meets a packet.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible.module_utils.pfsense_paths import contains, to_network

NONE, PART, WHOLE, UNKNOWN = "none", "part", "whole", "unknown"  # how much of a flow something covers

PROTOCOLS = {"tcp": {"tcp"}, "udp": {"udp"}, "tcp/udp": {"tcp", "udp"}}
FIELDS = ("interface", "ipprotocol", "protocol", "source", "destination", "port")
MAX_PUBLICS = 64
PORT = re.compile(r"([0-9]{1,5})(?:[-:]([0-9]{1,5}))?$")


class Forwards:
    """The translations of a configuration, in the order in which pf applies them."""

    def __init__(self, config, paths):
        self.paths = paths
        self.aliases = {entry.get("name"): entry.get("address", "").split() for entry in config.entries.get("aliases/alias", [])}
        ports = [PortForward(entry, self) for entry in config.entries.get("nat/rule", [])]
        hosts = [OneToOne(entry, self) for entry in config.entries.get("nat/onetoone", [])]
        self.translations = ports + hosts
        self.known = {}  # what was found, by the fields of the flow

    def find(self, flow):
        """(translation, how much of the flow it covers) of the first one that the flow meets, or None."""
        key = tuple(flow[field] for field in FIELDS)
        if key not in self.known:
            self.known[key] = self.search(flow)
        return self.known[key]

    def search(self, flow):
        if not is_flow(flow):
            return None  # a rule that was changed by hand
        for translation in self.translations:
            covered = translation.covers(flow)
            if covered == UNKNOWN or (covered != NONE and translation.is_exempt):
                return None
            if covered != NONE:
                return translation, covered
        return None

    def follow(self, flow):
        """The flow behind the translation, which a rule has to block instead, or None.

        Only a flow that is translated as a whole to one host is followed, and only if it can be found again from there.
        """
        found = self.find(flow)
        if found is None or found[1] != WHOLE:
            return None
        target = found[0].find_target(flow)
        if target is None or self.is_own(target["destination"]):
            return None
        inside = dict(flow, destination=target["destination"], port=target["port"])
        public = {"destination": flow["destination"], "port": flow["port"]}
        return inside if inside != flow and public in self.list_candidates(inside) else None

    def list_publics(self, inside):
        """The public sides, each {destination, port}, whose packets are translated to this flow."""
        if not is_flow(inside):
            return []
        found = [each for each in self.list_candidates(inside) if self.follow(dict(inside, **each)) == inside]
        return found[:MAX_PUBLICS]

    def list_candidates(self, inside):
        return [public for translation in self.translations for public in translation.list_candidates(inside)]

    def is_own(self, text):
        network = to_network(text)
        return network is None or network.is_loopback or self.paths.is_ours(network)

    def list_hosts(self, networks):
        """The hosts of these networks ([] for any) as text; of a wide one only the firewall's own addresses."""
        hosts = []
        for network in networks or self.paths.own:
            is_small = network.max_prefixlen - network.prefixlen <= 4
            wide = [own for own in self.paths.own if contains(network, own)]
            hosts += [str(host) for host in network] if is_small else [str(own.network_address) for own in wide]
        return hosts

    def find_problem(self, flow):
        """What to block instead of a flow that is translated and not followed, or None."""
        found = None if self.follow(flow) else self.find(flow)
        if found is None:
            return None
        translation, covered = found
        target = translation.find_target(flow)
        if target is None:
            return "%s is forwarded to %s: block the hosts behind it" % (show(flow), translation.target)
        if covered == PART:
            return "part of it is forwarded to %s: block that as well" % show(target)
        port = " port %s" % target["port"] if target["port"] else ""
        return "%s is forwarded to %s: block %s%s" % (show(flow), show(target), target["destination"], port)

    # ---- what the fields of a translation mean ----

    def covers_interface(self, entry, flow):
        key, name = entry.get("interface", ""), flow["interface"]
        is_met = self.paths.is_filtered_on(key, name) or self.paths.is_filtered_on(name, key)
        return WHOLE if is_met or entry.get("natreflection") in ("purenat", "enable") else NONE

    def covers_network(self, entry, side, text):
        """How much of an address or network of the flow one side of a translation covers."""
        networks = self.find_networks(entry, side)
        if networks is None:
            return UNKNOWN
        covered = cover(networks, to_network(text))
        if side + "/not" in entry:
            return {NONE: WHOLE, WHOLE: NONE}.get(covered, covered)
        return covered

    def find_networks(self, entry, side):
        """The networks of one side, [] for any, or None if they are not in the configuration."""
        text = entry.get(side + "/network") or entry.get(side + "/address") or ""
        if not text:
            return []
        if text == "(self)":
            return self.paths.own
        key = text[:-2] if text.endswith("ip") and text[:-2] in self.paths.config.keys else None
        if key:
            return self.paths.find_addresses_of(key)
        if text in self.paths.config.keys:
            return [network for network, name, is_attached in self.paths.networks if name == text and is_attached] or None
        networks = [to_network(each) for each in self.aliases.get(text, [text])]
        return networks if networks and all(networks) else None

    def find_ports(self, text):
        """The port ranges that a text or an alias means, as (first, last); [] for any, None if unknown."""
        if not text:
            return []
        found = [PORT.match(each) for each in self.aliases.get(text, [text])]
        return [(int(each.group(1)), int(each.group(2) or each.group(1))) for each in found] if found and all(found) else None

    def find_host(self, text):
        """The single host that a text or an alias means, or None."""
        found = [to_network(each) for each in self.aliases.get(text, [text])]
        is_host = len(found) == 1 and found[0] is not None and found[0].prefixlen == found[0].max_prefixlen
        return found[0].network_address if is_host else None


class PortForward:
    def __init__(self, entry, forwards):
        self.entry = entry
        self.forwards = forwards
        self.is_exempt = "nordr" in entry
        self.target = entry.get("target", "")
        self.host = forwards.find_host(self.target)
        # Without a protocol that has ports, pfSense prints none.
        self.has_ports = entry.get("protocol") in PROTOCOLS
        self.ports = forwards.find_ports(entry.get("destination/port", "")) if self.has_ports else []

    def covers(self, flow):
        entry, family = self.entry, self.entry.get("ipprotocol") or "inet"
        if "disabled" in entry or flow["ipprotocol"] != ("inet" if family == "inet46" else family):
            return NONE
        destination = self.forwards.covers_network(entry, "destination", flow["destination"])
        if destination == NONE:
            return NONE  # as most of them, whatever the rest says
        return combine(
            destination,
            self.forwards.covers_interface(entry, flow),
            covers_protocol(entry.get("protocol", ""), flow["protocol"]),
            self.forwards.covers_network(entry, "source", flow["source"]),
            self.covers_port(flow["port"]),
        )

    def covers_port(self, port):
        if not self.ports:
            return UNKNOWN if self.ports is None else WHOLE
        if not port:
            return PART
        return WHOLE if any(first <= int(port) <= last for first, last in self.ports) else NONE

    def find_target(self, flow):
        """Where the packets of a flow go: {destination, port}, or None if that is not one host and port."""
        local = self.forwards.find_ports(self.entry.get("local-port", "")) if self.has_ports else []
        if self.host is None or local is None:
            return None
        port = flow["port"]
        is_kept = self.entry.get("local-port") == self.entry.get("destination/port")
        if local and (port or self.ports) and not (port and is_kept):
            first = [low for low, high in self.ports if not port or low <= int(port) <= high]
            offset = int(port) - first[0] if port and first and len(self.ports) == 1 else 0
            port = str(local[0][0] + offset)
        return {"destination": str(self.host), "port": port}

    def list_candidates(self, inside):
        networks = self.forwards.find_networks(self.entry, "destination")
        if self.host is None or str(self.host) != inside["destination"] or networks is None or self.ports is None:
            return []
        return [
            {"destination": host, "port": port}
            for host in self.forwards.list_hosts(networks)
            for port in self.list_ports(inside["port"])
        ]

    def list_ports(self, inside):
        """The public ports that may lead to a port inside."""
        local = self.forwards.find_ports(self.entry.get("local-port", "")) if self.has_ports else []
        if not self.ports or not local or not inside:
            return [inside]
        shifted = [first + int(inside) - local[0][0] for first, last in self.ports]
        return [str(port) for port in sorted(set(shifted + [int(inside)] + [first for first, last in self.ports]))]


class OneToOne:
    """1:1 NAT: an external address or network stands for an internal one of the same size."""

    def __init__(self, entry, forwards):
        self.entry = entry
        self.forwards = forwards
        self.is_exempt = "nobinat" in entry
        self.target = entry.get("source/address") or entry.get("source/network") or ""
        inside = forwards.find_networks(entry, "source")
        self.inside = inside[0] if inside else None
        external = forwards.find_networks({"external/address": entry.get("external", "")}, "external")
        start = external[0].network_address if external else None
        is_fit = start is not None and self.inside is not None and start.version == self.inside.version
        self.outside = to_network("%s/%d" % (start, self.inside.prefixlen)) if is_fit else None

    def covers(self, flow):
        if "disabled" in self.entry or self.outside is None:
            return NONE
        # The destination of a 1:1 entry is the other end of a connection: for what comes in, the source.
        return combine(
            self.forwards.covers_interface(self.entry, flow),
            self.forwards.covers_network(self.entry, "destination", flow["source"]),
            cover([self.outside], to_network(flow["destination"])),
        )

    def find_target(self, flow):
        destination = to_network(flow["destination"])
        if destination.prefixlen < destination.max_prefixlen:
            return None
        offset = int(destination.network_address) - int(self.outside.network_address)
        host = type(destination.network_address)(int(self.inside.network_address) + offset)
        return {"destination": str(host), "port": flow["port"]}

    def list_candidates(self, inside):
        destination = to_network(inside["destination"])
        if self.outside is None or not contains(self.inside, destination) or destination.prefixlen < destination.max_prefixlen:
            return []
        offset = int(destination.network_address) - int(self.inside.network_address)
        host = type(destination.network_address)(int(self.outside.network_address) + offset)
        return [{"destination": str(host), "port": inside["port"]}]


def is_flow(flow):
    ends = to_network(flow["source"]), to_network(flow["destination"])
    return None not in ends and re.match(r"[0-9]*$", flow["port"]) is not None


def cover(networks, flow):
    """How much of a network these cover; [] is any."""
    if not networks or any(contains(each, flow) for each in networks):
        return WHOLE
    return PART if any(contains(flow, each) for each in networks) else NONE


def covers_protocol(protocol, flow):
    if protocol in ("", "any"):
        return WHOLE
    if flow == "any":
        return PART
    covered, asked = PROTOCOLS.get(protocol, {protocol}), PROTOCOLS.get(flow, {flow})
    return WHOLE if asked <= covered else PART if asked & covered else NONE


def combine(*parts):
    """How much all of these cover together."""
    return next((each for each in (NONE, UNKNOWN, PART) if each in parts), WHOLE)


def show(end):
    """198.51.100.10:2222"""
    host, port = end["destination"], end["port"]
    return "%s:%s" % ("[%s]" % host if ":" in host else host, port) if port else host
