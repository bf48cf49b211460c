"""Decides a flow's packets as pf would, from what pf has loaded. Python 3.6 and up.

pf.conf(5) is the source: an incoming packet is translated first (`rdr`, then `binat`; the first rule that matches wins, and
one with `pass` lets the packet by without any filter rule), then it meets the filter rules in order; a matching `quick` rule
decides at once, otherwise the last rule that matches. A packet that matches no rule is passed. `match` rules never decide.

A flow is decided for a first packet (of TCP: SYN) and for a packet of an open connection that pf has no state of (of TCP:
ACK alone), and for packets that a translation sends to its destination. All packets are decided, not a sample: they are boxes
of address and port ranges, and a rule that matches a part of a box splits it.

The levels of a Decision:

decides    Every packet of the flow is dropped, first packets by the rule with our tracker or by a quick block rule before it.
           Later packets of a connection may be dropped by any rule, such as pfSense's default deny.
shadowed   Another rule certainly passes a packet of the flow; `rule` is that rule, or None if no rule matches.
listed     Neither can be said; `reason` says why. It may be that a rule cannot be read (`rule` is that rule), that all packets
           are dropped but our rule matches none of them, or that only packets pass that networks cannot do without: ICMPv6
           errors and neighbor discovery, DHCP, CARP.

Every reason is the part of a sentence, without its full stop.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from collections import namedtuple

from ansible_collections.firebreak.core.plugins.module_utils.pf_boxes import (
    DESTINATION,
    PORT,
    SOURCE,
    SOURCE_PORT,
    contains,
    intersect,
    replaced,
    split,
)
from ansible_collections.firebreak.core.plugins.module_utils.pf_interfaces import Interfaces
from ansible_collections.firebreak.core.plugins.module_utils.pf_names import (
    EVERY_PORT,
    FLAG_BITS,
    ICMP,
    LAST,
    TCP,
    UDP,
    WITH_PORTS,
    Unreadable,
    read_network,
    read_protocol,
)
from ansible_collections.firebreak.core.plugins.module_utils.pf_rule_set import (
    FILLED,
    MAX_STEPS_OF_ONE,
    Kind,
    RuleSet,
    TooMany,
    tell_addresses,
    tell_ports,
    to_text,
)
from ansible_collections.firebreak.core.plugins.module_utils.pf_rules import is_rule, read_rules

Decision = namedtuple("Decision", "level reason rule")
# A packet's TCP flags, whether it is the first of its connection, and the forward that it came through, or None.
Packet = namedtuple("Packet", "kind flags is_first forward")

FAMILIES = {"inet": 4, "inet6": 6}
EVERY_TYPE = (0, 255)
MAX_REASON = 300
SEVERAL = "sends packets to more than one address or port"

# What pfSense passes before every rule of a user: ICMPv6 errors, router and neighbor discovery (RFC 4890), DHCP between a
# server's and a client's port, and how firewalls of one cluster find each other.
ESSENTIAL_TYPES = (1, 2, 3, 4, 133, 134, 135, 136)
DHCP_PORTS = ((67, 67), (68, 68), (546, 546), (547, 547))
CLUSTER_PROTOCOLS = (112, 240)  # CARP, pfsync
PROTOCOL_NAMES = {TCP: "TCP", UDP: "UDP", ICMP[4]: "ICMP", ICMP[6]: "ICMPv6"}


def read_rule_set(rules, translations, interfaces, is_in_table, is_anchor_empty=None):
    """Makes a RuleSet of pfctl's texts.

    rules: what `pfctl -vvsr` prints. translations: what `pfctl -sn` (or -vvsn) prints.
    interfaces: what `ifconfig` prints (groups and addresses), what `pfctl -sI -v` prints (interfaces that pf skips), both
    texts one after the other, a mapping {interface: [group, ...]}, or "" if nothing is known.
    is_in_table(name, address): True, False or None (not known). Called only when a decision depends on it, and possibly
    several times for the same address: the caller caches.
    is_anchor_empty(kind, name): the same for an "anchor", "rdr-anchor" or "binat-anchor" that matters; called once for each.
    `has_rules` tells it from what `pfctl -a NAME -sr` or `-sn` prints. Without it, and where it gives None, the anchors that
    pfSense fills at run time only (EMPTY_ANCHORS) count as empty, and any other as not known: among these is `miniupnpd`.
    """
    known = Interfaces(interfaces)
    return RuleSet(read_rules(rules, known), read_rules(translations, known), known, is_in_table, is_anchor_empty)


def has_rules(text):
    """Whether pfctl printed any rule, and not only a warning."""
    return any(is_rule(line) for line in text.split("\n"))


def decide(rule_set, flow, tracker):
    """Who decides the packets of a flow, for the block rule with this tracker. Raises nothing for odd rules or flows.

    flow: {"source", "destination" (addresses or networks, "" or "any" for every one), "port" ("", "22" or "8000:8010"),
    "protocol" ("tcp", "udp", "tcp/udp", "icmp", "any" and other names), "ipprotocol" ("inet" or "inet6"), "interface" (its
    real name, such as em0, or None if a packet may enter anywhere)}
    """
    if not rule_set.is_whole:
        return Decision("listed", "pf lists more rules than Firebreak reads", None)
    if tracker not in rule_set.first_of:
        return Decision("listed", "pf lists no block rule with tracker %s" % tracker, None)
    try:
        # A block rule only ever takes packets away from rules that would pass them. If none passes without the ones before
        # ours, of which there may be thousands, none passes with them.
        decision = Search(rule_set, flow, tracker, without_blocks=True).decide()
        if decision.level != "decides":
            decision = Search(rule_set, flow, tracker).decide()
    except Unreadable as reason:
        decision = Decision("listed", "the flow %s" % reason, None)
    except TooMany:
        decision = Decision("listed", "the rules split the flow into too many parts", None)
    return decision._replace(reason=decision.reason[:MAX_REASON])


class Search:
    """One decision: what passes, what is not known and who drops the rest. The worst of these is the answer."""

    def __init__(self, rule_set, flow, tracker, without_blocks=False):
        self.rule_set = rule_set
        self.tracker = tracker
        self.without_blocks = without_blocks
        self.position = rule_set.first_of[tracker]
        self.steps = MAX_STEPS_OF_ONE
        if flow.get("ipprotocol", "inet") not in FAMILIES:
            raise Unreadable("has an address family that is not known: %s" % flow["ipprotocol"])
        self.family = FAMILIES[flow.get("ipprotocol", "inet")]
        source, destination = (self.read_addresses(flow.get(side)) for side in ("source", "destination"))
        self.box = (source, EVERY_PORT, destination, read_ports(flow.get("port")))
        self.protocols = self.read_protocols(flow.get("protocol"))
        self.entrances = [flow["interface"]] if flow.get("interface") else rule_set.entrances()
        self.passed = self.spared = self.doubted = self.dropped = None
        self.is_ours = False

    def read_addresses(self, text):
        if text in (None, "", "any"):
            return 0, LAST[self.family]
        family, found = read_network(text)
        if family != self.family:
            raise Unreadable("has an address of another family: %s" % text[:60])
        return found

    def read_protocols(self, text):
        name = (text or "any").lower()
        if name == "any":
            return sorted((self.rule_set.protocols | {ICMP[self.family]}) - {ICMP[10 - self.family]})
        if name == "icmp":
            return [ICMP[self.family]]
        return [read_protocol(each) for each in name.split("/")[:4]]

    def decide(self):
        for interface in self.entrances:
            if interface in self.rule_set.interfaces.skipped:
                return Decision("shadowed", "pf does not filter on %s (set skip)" % interface[:20], None)
            for protocol in self.protocols:
                self.decide_kind(Kind(interface, self.family, protocol))
                if self.passed is not None:
                    return Decision("shadowed", *self.passed)
        if self.spared is not None:
            return Decision("listed" if self.is_ours else "shadowed", *self.spared)
        if self.doubted is not None:
            return Decision("listed", *self.doubted)
        return Decision("decides", "", None) if self.is_ours else Decision("listed", *self.dropped)

    def decide_kind(self, kind):
        """All packets of one protocol that enter by one interface."""
        box = self.box
        if kind.protocol in ICMP.values():
            box = replaced(box, PORT, EVERY_TYPE)
        elif kind.protocol not in WITH_PORTS:
            box = replaced(box, PORT, EVERY_PORT)
        done = []
        for piece, forward in self.translate(box, kind) + self.find_forwarded(box, kind):
            if not any(contains(other, piece) for other in done):
                self.filter(piece, kind, forward)
                done.append(piece)

    def split(self, box, each):
        """(parts of the box that the rule matches, the other parts, why the first may not match)."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMany()
        self.rule_set.spend(1)
        inside, outside = split(box, each.sides)
        doubt = each.doubt
        if doubt is FILLED and inside and self.rule_set.is_empty(each.rule):
            return [], [box], None
        for side, name, negated in each.tables if inside else ():
            found = self.ask(name, box[side])
            if found is negated:
                return [], [box], None
            if found is None:
                doubt = doubt or "depends on the table <%s>, whose addresses are not known" % name[:40]
        return inside, outside, doubt

    def ask(self, name, addresses):
        """Whether a table has an address. A table that has some address of a network need not have all of it: None."""
        first, last = addresses
        found = self.rule_set.is_in_table(name, to_text(self.family, first)) if first == last else None
        return found if found is None else bool(found)

    # Translation

    def translate(self, box, kind):
        """[(what becomes of a part of the box, the translation or None)], without the parts that are passed at once."""
        found = []
        candidates = self.rule_set.view(kind, is_translation=True).find(box)
        stack = [(box, 0)]
        while stack:
            piece, start = stack.pop()
            for place in range(start, len(candidates)):
                each = candidates[place]
                inside, outside, doubt = self.split(piece, each)
                if not inside:
                    continue
                stack += [(other, place + 1) for other in outside] + [(other, place) for other in inside[1:]]
                piece = inside[0]
                if doubt is not None:
                    self.note_doubt(each.rule, doubt)  # and the packet may be left as it is
                    continue
                found += self.apply(piece, each.rule)
                break
            else:
                found.append((piece, None))
        return found

    def apply(self, piece, rule):
        if rule.action.startswith("no"):
            return [(piece, None)]
        if rule.passes:
            self.note_forward(rule)
            return []
        mapped = map_box(piece, rule, self.family)
        if mapped is None:
            self.note_doubt(rule, SEVERAL)
            return []
        return [(mapped, rule)]

    def find_forwarded(self, box, kind):
        """The same of packets that have another destination when they come in, and become packets of this flow."""
        found = []
        view = self.rule_set.view(kind, is_translation=True)
        ports = EVERY_PORT if kind.protocol in WITH_PORTS else box[PORT]
        for each in view.leading_to(box[DESTINATION]):
            inside, _, doubt = self.split((box[SOURCE], EVERY_PORT, (0, LAST[self.family]), ports), each)
            for piece in self.find_unclaimed(inside, each, view):
                found += self.reach(piece, each.rule, doubt, box)
        return found

    def find_unclaimed(self, pieces, each, view):
        """The parts that no translation before this one certainly matches."""
        for other in view.candidates if pieces else ():
            if other.position >= each.position or not pieces:
                break
            left = []
            for piece in pieces:
                inside, outside, doubt = self.split(piece, other)
                left += outside if inside and doubt is None else [piece]
            pieces = left
        return pieces

    def reach(self, piece, rule, doubt, box):
        """What a translation makes of a piece, as far as it is in the box."""
        if rule.target is None:
            found = self.ask(rule.target_table, box[DESTINATION]) if rule.target_table is not None else None
            if found is False:
                return []
            doubt = doubt or (None if found else SEVERAL)
            mapped = replaced(map_ports(piece, rule) or piece, DESTINATION, box[DESTINATION])
        else:
            mapped = map_box(piece, rule, self.family)
        if mapped is None:
            doubt, mapped = doubt or SEVERAL, box
        meeting = intersect(mapped, box)
        if meeting is None:
            return []
        if not rule.passes:
            return [(meeting, rule)]  # with or without a doubt: the rules decide such packets
        if doubt is not None:
            self.note_doubt(rule, doubt)
        else:
            self.note_forward(rule)
        return []

    # Filter rules

    def filter(self, box, kind, forward):
        self.walk(box, Packet(kind, FLAG_BITS["S"], True, forward))
        if kind.protocol == TCP:
            self.walk(box, Packet(kind, FLAG_BITS["A"], False, forward))

    def walk(self, box, packet):
        """Decides each part of the box. `finals` are quick rules that may match it, `last` those that decide if none does."""
        candidates = self.rule_set.view(packet.kind).find(box)
        if self.without_blocks:
            candidates = [each for each in candidates if each.rule.action != "block" or not self.is_before(each)]
        stack = [(box, 0, (), ())]
        while stack and self.passed is None:
            piece, start, finals, last = stack.pop()
            for place in range(start, len(candidates)):
                each = candidates[place]
                if each.rule.flags is not None and packet.kind.protocol == TCP:
                    wanted, among = each.rule.flags
                    if packet.flags & among != wanted:
                        continue
                inside, outside, doubt = self.split(piece, each)
                if not inside:
                    continue
                stack += [(other, place + 1, finals, last) for other in outside]
                stack += [(other, place, finals, last) for other in inside[1:]]
                piece = inside[0]
                if each.rule.quick:
                    finals += ((each, doubt),)
                    if doubt is None:
                        break
                else:
                    last = ((each, doubt),) if doubt is None else last + ((each, doubt),)
            else:
                # A packet that no rule matches is passed.
                finals += last if any(doubt is None for _, doubt in last) else ((None, None),) + last
            self.settle(finals, piece, packet)

    def settle(self, entries, piece, packet):
        """A part of the flow is decided by one of these rules: by the one that is certain, unless another one matches."""
        passing = [entry for entry in entries if entry[0] is None or entry[0].rule.action != "block"]
        if not passing:
            self.note_drop(entries, packet)
        elif len(passing) == len(entries):
            self.note_pass([each for each, doubt in entries if doubt is None][-1], piece, packet)
        else:
            each, doubt = [entry for entry in passing + list(entries) if entry[1] is not None][0]
            self.note_doubt(each.rule, doubt)

    # Answers

    def note_drop(self, entries, packet):
        if not packet.is_first:
            return
        if all(each.rule.tracker == self.tracker or self.is_before(each) for each, _ in entries):
            self.is_ours = True
        elif self.dropped is None:
            rule = entries[-1][0].rule
            own = [doubt for each, doubt in entries if doubt is not None and each.rule.tracker == self.tracker]
            reason = "its packets do not match this rule: %s drops them" % self.rule_set.name(rule)
            reason = "this rule %s" % own[0] if own else reason
            self.dropped = (self.tell_forward(packet) + reason, self.rule_set.describe(rule))

    def is_before(self, each):
        """Whether the rule is another quick one that comes before ours."""
        return each.rule.quick and each.position < self.position and each.rule.tracker != self.tracker

    def note_pass(self, each, piece, packet):
        if each is None:
            reason = self.tell_forward(packet) + "no rule matches its packets, and pf passes them"
            self.passed = self.passed or (reason, None)
            return
        if not packet.is_first:
            verb = "passes packets of its open connections"
        else:
            verb = "passes it first" if each.position < self.position else "passes it"
        part = self.tell_part(piece, each.rule, packet)
        reason = "%s%s %s%s" % (self.tell_forward(packet), self.rule_set.name(each.rule), verb, part)
        found = (reason, self.rule_set.describe(each.rule))
        if is_essential(piece, each.rule):
            self.spared = self.spared or found
        else:
            self.passed = self.passed or found

    def note_forward(self, rule):
        reason = "%s passes it before any rule, so no rule can block it; change the forward" % self.rule_set.name(rule)
        self.passed = self.passed or (reason, self.rule_set.describe(rule))

    def note_doubt(self, rule, doubt):
        self.doubted = self.doubted or ("%s %s" % (self.rule_set.name(rule), doubt), self.rule_set.describe(rule))

    def tell_forward(self, packet):
        return "" if packet.forward is None else "after %s, " % self.rule_set.name(packet.forward)

    def tell_part(self, piece, rule, packet):
        """What distinguishes a part of the flow, or "" if it is all of it."""
        protocol, found = packet.kind.protocol, []
        if len(self.protocols) > 1 and rule.protocols:
            found.append(PROTOCOL_NAMES.get(protocol, "protocol %d" % protocol))
        if packet.forward is not None:
            return ", but only " + found[0] if found else ""
        if piece[SOURCE] != self.box[SOURCE]:
            found.append("from %s" % tell_addresses(self.family, piece[SOURCE]))
        if piece[SOURCE_PORT] != EVERY_PORT:
            found.append("from source port %s" % tell_ports(piece[SOURCE_PORT]))
        if piece[DESTINATION] != self.box[DESTINATION]:
            found.append("to %s" % tell_addresses(self.family, piece[DESTINATION]))
        if protocol in ICMP.values():
            found += ["type %s" % tell_ports(piece[PORT])] if piece[PORT] != EVERY_TYPE else []
        elif protocol in WITH_PORTS and piece[PORT] != self.box[PORT]:
            found.append("to port %s" % tell_ports(piece[PORT]))
        return ", but only " + " ".join(found) if found else ""


def is_essential(piece, rule):
    """Whether only packets pass that networks cannot do without."""
    if rule.protocols == (ICMP[6],):
        first, last = piece[PORT]
        return all(each in ESSENTIAL_TYPES for each in range(first, last + 1))
    if rule.protocols == (UDP,):
        return piece[SOURCE_PORT] in DHCP_PORTS and piece[PORT] in DHCP_PORTS
    return len(rule.protocols) == 1 and rule.protocols[0] in CLUSTER_PROTOCOLS


def map_box(box, rule, family):
    """The box after a translation, or None if that is not exactly known. With binat, a host keeps its place in its network."""
    if rule.target is None:
        return None
    first, last = target = rule.target
    if first != last:
        (outer, end), = rule.destination[family]
        if end - outer != last - first:
            return None
        target = tuple(each - outer + first for each in box[DESTINATION])
    return map_ports(replaced(box, DESTINATION, target), rule)


def map_ports(box, rule):
    """A port becomes the rule's one port, or keeps its distance from the first port; None if pf would begin anew."""
    if rule.target_ports is None:
        return box
    low, high = rule.target_ports
    if low == high:
        return replaced(box, PORT, (low, high))
    start = rule.ports[0][0] if rule.ports else 0
    first, last = (each - start + low for each in box[PORT])
    if first < low or last > (EVERY_PORT[1] if high < 0 else high):
        return None
    return replaced(box, PORT, (first, last))


def read_ports(text):
    first, _, last = str(text or "0:65535").partition(":")
    last = last or first
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) <= EVERY_PORT[1]):
        raise Unreadable("has a port that is not a number: %s" % str(text)[:40])
    return int(first), int(last)
