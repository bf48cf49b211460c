"""Compares N decisions on random rules with a reference that tries every packet: reference.py N SEED.

Prints the levels with how often each came, as JSON. Ends with an error, which shows the rules and the flow, where the two differ.
The reference shares no code with the evaluator: rules are made as values, and only the evaluator reads their text.
"""

import collections
import itertools
import json
import random
import sys

from table import TRACKER, decide, read_rule_set

SOURCES = ["203.0.113.%d" % each for each in range(4, 8)]
INSIDE = ["192.168.1.%d" % each for each in range(8, 12)]
PUBLIC = "198.51.100.2"
MAPPED = "198.51.100.8", "198.51.100.9"  # the public side of 1:1 NAT
DESTINATIONS = INSIDE + [PUBLIC, *MAPPED]
NETWORKS = {"203.0.113.4/31": SOURCES[:2], "203.0.113.6/31": SOURCES[2:], "203.0.113.4/30": SOURCES, "192.168.1.8/30": INSIDE, "192.168.1.10/31": INSIDE[2:]}
PORTS = [79, 80, 81, 82, 83]
SOURCE_PORTS = [53, 1023, 2000]
INTERFACES = ["em0", "em1"]
GROUPS = {"em0": ["OUTER", "ALL"], "em1": ["ALL"]}
TYPES = [0, 3, 8]
SYN, ACK = frozenset("S"), frozenset("A")
PORT_TEXTS = {
    "= 80": [80], "= http": [80], "!= 81": [79, 80, 82, 83], "80:81": [80, 81], "80 >< 83": [81, 82], "80 <> 82": [79, 83], "< 81": [79, 80],
    "<= 81": [79, 80, 81], "> 81": [82, 83], ">= 82": [82, 83], "{ 80, 83 }": [80, 83],
}  # fmt: skip
SOURCE_PORT_TEXTS = {"= domain": [53], ">= 1024": [2000], "< 1024": [53, 1023]}

Packet = collections.namedtuple("Packet", "interface protocol source source_port destination port flags")


class Side:
    """Random addresses of one end of a rule: their text, and for an address True, False or None for not known."""

    def __init__(self, chance, hosts, tables):
        kind = chance.choice(["any"] * 3 + ["host"] * 3 + ["network", "range", "table"])
        self.text, self.members = "any", None
        if kind == "host":
            self.text = chance.choice(hosts)
            self.members = [self.text]
        elif kind == "network":
            self.text = chance.choice([each for each, members in NETWORKS.items() if members[0] in hosts])
            self.members = NETWORKS[self.text]
        elif kind == "range":
            self.members = INSIDE[1:3] if hosts[0] in INSIDE else SOURCES[1:3]
            self.text = "%s - %s" % (self.members[0], self.members[-1])
        elif kind == "table":
            name = chance.choice(sorted(tables))
            self.text, self.members = "<%s:3>" % name, tables[name] if tables[name] is not None else "unknown"
        self.negated = kind != "any" and chance.random() < 0.2
        self.text = ("! " if self.negated else "") + self.text

    def holds(self, address, is_alone):
        if self.members is None:
            return True
        if self.text.lstrip("! ").startswith("<") and (self.members == "unknown" or not is_alone):
            return None
        return (address in self.members) != self.negated


class Rule:
    def __init__(self, chance, tables, action=None):
        self.action = action or chance.choice(["pass", "pass", "block", "block", "match"])
        self.quick = chance.random() < 0.6
        self.direction = chance.choice(["in"] * 6 + ["", "", "out"])
        self.interface = chance.choice(["", "em0", "em0", "em1", "OUTER", "ALL", "! em0", "! OUTER"])
        self.protocol = chance.choice(["", "", "tcp", "tcp", "tcp", "udp", "icmp"])
        self.source, self.destination = Side(chance, SOURCES, tables), Side(chance, DESTINATIONS, tables)
        has_ports = self.protocol in ("tcp", "udp")
        self.port = chance.choice(sorted(PORT_TEXTS)) if has_ports and chance.random() < 0.5 else None
        self.source_port = chance.choice(sorted(SOURCE_PORT_TEXTS)) if has_ports and chance.random() < 0.15 else None
        self.type = chance.choice(TYPES) if self.protocol == "icmp" and chance.random() < 0.7 else None
        self.flags = chance.choice([None, None, "any", "S/SA", "A/A"]) if self.protocol in ("", "tcp") and self.action != "match" else None
        self.is_doubtful = chance.random() < 0.06
        self.tracker = None

    def text(self):
        words = [self.action, "drop" if self.action == "block" else "", self.direction, "quick" if self.quick else ""]
        words += ["on " + self.interface if self.interface else "", "inet", "proto " + self.protocol if self.protocol else ""]
        words += ["from", self.source.text, "port " + self.source_port if self.source_port else ""]
        words += ["to", self.destination.text, "port " + self.port if self.port else ""]
        words += ["icmp-type %d" % self.type if self.type is not None else "", "flags " + self.flags if self.flags else ""]
        words += ["keep state" if self.action == "pass" else "", "tagged T" if self.is_doubtful else ""]
        return " ".join(each for each in words + ["ridentifier %d" % self.tracker if self.tracker else ""] if each)

    def matches(self, packet, alone):
        """True, False, or None if that is not known."""
        flags = self.flags or ("S/SA" if self.action == "pass" else "any")
        if self.action == "match" or self.direction == "out" or not on(self.interface, packet.interface):
            return False
        if self.protocol not in ("", packet.protocol) or (self.type is not None and packet.port != self.type):
            return False
        if self.port is not None and packet.port not in PORT_TEXTS[self.port]:
            return False
        if self.source_port is not None and packet.source_port not in SOURCE_PORT_TEXTS[self.source_port]:
            return False
        if packet.protocol == "tcp" and flags != "any":
            wanted, among = flags.split("/")
            if packet.flags & set(among) != set(wanted):
                return False
        found = [self.source.holds(packet.source, alone[0]), self.destination.holds(packet.destination, alone[1])]
        if False in found:
            return False
        return None if None in found or self.is_doubtful else True


class Forward:
    """An `rdr`, `no rdr` or `binat` rule."""

    def __init__(self, chance):
        self.action = chance.choice(["rdr", "rdr", "rdr", "rdr pass", "no rdr", "binat"])
        self.interface = chance.choice(["em0", "em0", "em1", "OUTER"])
        self.source = chance.choice(["any", "any", "any", SOURCES[1], "203.0.113.6/31"])
        self.target = chance.choice(INSIDE)
        self.ports = chance.choice([(80, 80), (81, 81), (80, 81), (79, 83)])
        self.target_port = chance.choice([None, 80, 82])
        self.shifts = self.ports[0] != self.ports[1] and self.target_port is not None and self.target_port + self.ports[1] - self.ports[0] <= 83
        self.is_whole = chance.random() < 0.5

    def text(self):
        if self.action == "binat":
            inner, outer = ("192.168.1.8/31", "198.51.100.8/31") if self.is_whole else (self.target, MAPPED[0])
            return "binat on %s inet from %s to %s -> %s" % (self.interface, inner, self.source, outer)
        port = "port = %d" % self.ports[0] if self.ports[0] == self.ports[1] else "port %d:%d" % self.ports
        head = "%s on %s inet proto tcp from %s to %s %s" % (self.action, self.interface, self.source, PUBLIC, port)
        if self.action == "no rdr":
            return head
        last = ":%d" % (self.target_port + self.ports[1] - self.ports[0]) if self.shifts else ""
        return "%s -> %s%s" % (head, self.target, " port %d%s" % (self.target_port, last) if self.target_port else "")

    def matches(self, packet):
        sources = [self.source] if self.source in SOURCES else NETWORKS.get(self.source, SOURCES)
        if not on(self.interface, packet.interface) or packet.source not in sources:
            return False
        if self.action == "binat":
            return packet.destination in (MAPPED if self.is_whole else MAPPED[:1])
        return packet.protocol == "tcp" and packet.destination == PUBLIC and self.ports[0] <= packet.port <= self.ports[1]

    def apply(self, packet):
        if self.action == "no rdr":
            return packet
        if self.action == "binat":
            return packet._replace(destination=INSIDE[MAPPED.index(packet.destination)] if self.is_whole else self.target)
        port = packet.port
        if self.target_port is not None:
            port = packet.port - self.ports[0] + self.target_port if self.shifts else self.target_port
        return packet._replace(destination=self.target, port=port)


def on(name, interface):
    if name.startswith("! "):
        return not on(name[2:], interface)
    return name in ("", interface) or name in GROUPS[interface]


def outcomes(rules, packet, alone):
    """The rules that may decide a packet; None is pf's pass for a packet that no rule matches."""
    found, last = [], [None]
    for rule in rules:
        matches = rule.matches(packet, alone)
        if matches is False:
            continue
        if rule.quick and matches:
            return found + [rule]
        if rule.quick:
            found.append(rule)
        else:
            last = [rule] if matches else last + [rule]
    return found + last


def packets(flow):
    """Every packet that can become one of the flow."""
    protocols = ["tcp", "udp", "icmp", "gre"] if flow["protocol"] == "any" else flow["protocol"].split("/")
    for interface, protocol in itertools.product([flow["interface"]] if flow["interface"] else INTERFACES, protocols):
        source_ports = SOURCE_PORTS if protocol in ("tcp", "udp") else [0]
        ports = PORTS if protocol in ("tcp", "udp") else TYPES if protocol == "icmp" else [0]
        flags = [SYN, ACK] if protocol == "tcp" else [SYN]
        for values in itertools.product(flow["sources"], source_ports, DESTINATIONS, ports, flags):
            yield Packet(interface, protocol, *values)


def expect(rules, forwards, flow, asks_tables):
    """The level, by trying every packet. A table can be asked for a single address, so not for all of a network's."""
    first = next(place for place, rule in enumerate(rules) if rule.tracker == TRACKER and rule.action == "block")
    before = [rule for rule in rules[:first] if rule.quick and rule.action == "block"]
    ordered = [each for each in forwards if each.action != "binat"] + [each for each in forwards if each.action == "binat"]
    alone = asks_tables or len(flow["sources"]) == 1, asks_tables or len(flow["destinations"]) == 1

    def is_in_flow(packet):
        has_port = flow["ports"] is None or packet.protocol not in ("tcp", "udp") or packet.port in flow["ports"]
        return packet.destination in flow["destinations"] and has_port

    seen = set()
    is_ours = False
    for packet in packets(flow):
        forward = next((each for each in ordered if each.matches(packet)), None)
        after = forward.apply(packet) if forward else packet
        if not (is_in_flow(packet) or is_in_flow(after)):
            continue
        if forward and forward.action == "rdr pass":
            return "shadowed"
        # A forward changes one destination to one other: then only that one is asked for in tables.
        found = outcomes(rules, after, (alone[0], alone[1] or after.destination not in flow["destinations"]))
        actions = {"pass" if rule is None else rule.action for rule in found}
        seen.add(actions.pop() if len(actions) == 1 else "unknown")
        if packet.flags == SYN and all(rule is not None and (rule.tracker == TRACKER or rule in before) for rule in found):
            is_ours = True
    if "pass" in seen:
        return "shadowed"
    return "listed" if "unknown" in seen or not is_ours else "decides"


def make_flow(chance):
    source = chance.choice(SOURCES + ["203.0.113.4/30", "203.0.113.6/31"])
    destination = chance.choice(INSIDE + ["192.168.1.8/30", PUBLIC, MAPPED[0]])
    protocol = chance.choice(["tcp", "tcp", "tcp", "udp", "tcp/udp", "icmp", "any"])
    port, ports = chance.choice([("80", [80]), ("81", [81]), ("80:82", [80, 81, 82]), ("79:83", None)])
    if protocol in ("icmp", "any"):
        port, ports = ("", None) if protocol == "icmp" else ("79:83", None)
    return {
        "source": source, "destination": destination, "protocol": protocol, "port": port, "ipprotocol": "inet",
        "interface": chance.choice(["em0", "em0", "em1", None]), "ports": ports, "sources": NETWORKS.get(source, [source]),
        "destinations": NETWORKS.get(destination, [destination]),
    }  # fmt: skip


def make_case(chance):
    tables = {"one": chance.sample(SOURCES + INSIDE, 3), "two": chance.sample(SOURCES + INSIDE, 2), "three": None}
    rules = [Rule(chance, tables) for _ in range(chance.randrange(1, 8))]
    flow = make_flow(chance)
    for _ in range(chance.randrange(1, 3)):
        ours = Rule(chance, tables, "block")
        if chance.random() < 0.8:  # mostly one that fits
            ours.source.text, ours.source.members, ours.source.negated = flow["source"], flow["sources"], False
            if chance.random() < 0.7:
                ours.destination.text, ours.destination.members, ours.destination.negated = flow["destination"], flow["destinations"], False
            else:
                ours.destination.text, ours.destination.members, ours.destination.negated = "any", None, False
            ours.quick, ours.direction, ours.interface, ours.protocol = True, "in", chance.choice(["", "em0", "OUTER"]), ""
            ours.flags = chance.choice([None, "S/SA"])
            ours.port = ours.source_port = ours.type = None
            ours.is_doubtful = False
        ours.tracker = TRACKER
        rules.insert(chance.randrange(len(rules) + 1), ours)
    if chance.random() < 0.1:
        rules[0].tracker = TRACKER  # possibly a pass rule
    if chance.random() < 0.7:
        deny = Rule(chance, {"one": []}, "block")
        deny.quick, deny.direction, deny.interface, deny.protocol, deny.flags, deny.is_doubtful = False, "in", "", "", None, False
        deny.port = deny.source_port = deny.type = None
        for side in (deny.source, deny.destination):
            side.text, side.members, side.negated = "any", None, False
        rules.insert(0, deny)
    forwards = [Forward(chance) for _ in range(chance.choice([0, 0, 1, 2, 3]))]
    return tables, rules, forwards, flow


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    levels = collections.Counter()
    for number in range(count):
        chance = random.Random("%d %d" % (seed, number))
        tables, rules, forwards, flow = make_case(chance)
        # Where rules split a network into single hosts, the evaluator asks for them, and knows more than for a network.
        expected = {expect(rules, forwards, flow, asks_tables) for asks_tables in (False, True)}
        texts = "\n".join(rule.text() for rule in rules), "\n".join(each.text() for each in forwards)

        def is_in_table(name, address, tables=tables):
            return None if tables[name] is None else address in tables[name]

        got = decide(read_rule_set(texts[0], texts[1], GROUPS, is_in_table), flow, TRACKER)
        if got.level not in expected:
            sys.exit("case %d of seed %d\n%s\n\n%s\n\n%s\n%s\nexpected %s, got %s" % (number, seed, *texts, flow, tables, sorted(expected), tuple(got)))
        levels[got.level] += 1
    print(json.dumps(levels))


main()
