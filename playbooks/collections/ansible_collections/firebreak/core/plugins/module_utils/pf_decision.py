"""Decides a flow's packets as pf would, from what pf has loaded. Python 3.6 and up.

pf.conf(5) is the source: an incoming packet is translated first (`rdr`, then `binat`; the first rule that matches wins, and
one with `pass` lets the packet by without any filter rule), then it meets the filter rules in order; a matching `quick` rule
decides at once, otherwise the last rule that matches. A packet that matches no rule is passed. `match` rules never decide.

A flow is decided for a first packet (of TCP: SYN) and for a packet of an open connection that pf has no state of (of TCP:
ACK alone). All its packets are decided, not a sample: a set of packets is a box of address and port ranges, and a rule that
matches a part of a box splits it.

The levels of a Decision:

decides    Every packet of the flow is dropped, first packets by the rule with our tracker or by a quick block rule before it.
           Later packets of a connection may be dropped by any rule, such as pfSense's default deny.
shadowed   Another rule certainly passes a packet of the flow; `rule` is that rule.
listed     Neither can be said; `reason` says why. It may be that a rule cannot be read (`rule` is that rule), that all packets
           are dropped but our rule matches none of them, or that only packets pass that networks cannot do without: ICMPv6
           errors and neighbor discovery, and DHCP.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import socket
from collections import namedtuple

from ansible_collections.firebreak.core.plugins.module_utils.pf_rules import (
    EVERY_PORT,
    FLAG_BITS,
    ICMP,
    LAST,
    TCP,
    UDP,
    WITH_PORTS,
    Interfaces,
    Unreadable,
    read_network,
    read_protocol,
    read_rules,
)

Decision = namedtuple("Decision", "level reason rule")

# Steps of one decision; more than this needs a rule set that was made for it.
MAX_STEPS = 100000
MAX_LABEL = 60

# pfSense has these anchors everywhere and fills them at run time only: userrules for an administrator's own scripts, openvpn
# and ipsec for access lists of VPN users, tftp-proxy for transfers in progress.
EMPTY_ANCHORS = ("userrules/*", "openvpn/*", "ipsec/*", "tftp-proxy/*")
# Packets do not come in from outside by these.
INNER_INTERFACES = ("lo", "pflog", "pfsync")
OTHER_PROTOCOL = -1
PACKETS = ((FLAG_BITS["S"], "first"), (FLAG_BITS["A"], "open"))

# A box is (sources, source ports, destinations, destination ports or ICMP types), each (first, last).
SOURCE, SOURCE_PORT, DESTINATION, PORT = range(4)
# ICMPv6 errors, router and neighbor discovery (RFC 4890), and the ports of DHCP servers and clients.
ESSENTIAL_TYPES = (1, 2, 3, 4, 133, 134, 135, 136)
DHCP_PORTS = (67, 68, 546, 547)


class TooMany(Exception):
    """The decision would take more than MAX_STEPS."""


class Candidate(namedtuple("Candidate", "position rule sides tables doubt")):
    """A rule as it concerns packets of one interface, family and protocol: its ranges, its tables, and what is not known."""

    __slots__ = ()


class RuleSet:
    """What pf has loaded. Rules are sorted once per interface, family and protocol, and found by their single hosts."""

    def __init__(self, rules, translations, interfaces, is_in_table, is_anchor_empty):
        self.interfaces = interfaces
        self.is_in_table = is_in_table
        self.is_anchor_empty = is_anchor_empty
        self.rules, is_whole = rules
        self.translations, are_whole = translations
        self.is_whole = is_whole and are_whole
        self.views = {}
        self.ours = {}
        self.places = {}
        self.protocols = {TCP, UDP, OTHER_PROTOCOL}
        for position, rule in enumerate(self.rules):
            if rule.tracker is not None:
                self.places.setdefault(rule.tracker, set()).update(rule.interfaces or ("",))
                if rule.action == "block":
                    self.ours.setdefault(rule.tracker, position)
            self.protocols.update(rule.protocols)
        for rule in self.translations:
            self.protocols.update(rule.protocols)

    def view(self, translations, interface, family, protocol):
        """The filter rules, or translations, that packets of this kind can match, in order and findable by host."""
        key = (translations, interface, family, protocol)
        if key not in self.views:
            rules = self.translations if translations else self.rules
            self.views[key] = View(
                each
                for each in (self.candidate(position, rule, key) for position, rule in enumerate(rules))
                if each is not None
            )
        return self.views[key]

    def candidate(self, position, rule, key):
        _, interface, family, protocol = key
        if rule.direction == "out" or rule.action == "match" or rule.family not in (None, family):
            return None
        if rule.protocols and protocol not in rule.protocols:
            return None
        doubt = rule.doubt
        if rule.interfaces:
            found = self.is_on(rule, interface)
            if found is False:
                return None
            if found is None:
                doubt = doubt or "is for an interface group whose members are not known"
        if rule.action.endswith("anchor"):
            name = rule.labels[0] if rule.labels else ""
            if self.is_empty(rule.action, name):
                return None
            doubt = doubt or "holds rules of its own that are not known"
        sides = (
            None if rule.source is None else rule.source[family],
            rule.source_ports,
            None if rule.destination is None else rule.destination[family],
            rule.ports,
        )
        tables = []
        for side, table in ((SOURCE, rule.source_table), (DESTINATION, rule.destination_table)):
            if table is not None:
                (name, is_empty), negated = table
                if is_empty and not negated:
                    return None
                if not is_empty:
                    tables.append((side, name, negated))
        return Candidate(position, rule, sides, tables, doubt)

    def is_on(self, rule, interface):
        """Whether the rule is for the interface; None if that is not known."""
        found = [self.interfaces.holds(name, interface) for name in rule.interfaces]
        holds = True if True in found else None if None in found else False
        return holds if not rule.elsewhere or holds is None else not holds

    def is_empty(self, kind, name):
        if self.is_anchor_empty is not None:
            found = self.is_anchor_empty(kind, name)
            if found is not None:
                return found
        return name in EMPTY_ANCHORS

    def names(self):
        """The interfaces by which a packet may enter. Without ifconfig's list they are those that rules name."""
        named = {name for rule in self.rules + self.translations for name in rule.interfaces if name[-1:].isdigit()}
        found = {name for name in named | set(self.interfaces.groups) if not name.startswith(INNER_INTERFACES)}
        return sorted(found) or [""]

    def describe(self, rule):
        """{tracker, label, kind, number}. A rule on one interface may be that interface's or a floating one: kind is "rule"."""
        own = [each for each in rule.labels if each.startswith(("USER_RULE", "descr="))]
        is_users = bool(own) or "tags=user_rule" in rule.labels
        texts = own or [each for each in rule.labels if not each.startswith(("id:", "id=", "s:", "s=", "gw:", "tags="))]
        label = texts[0] if texts else ""
        for prefix in ("USER_RULE: ", "USER_RULE", "descr="):
            label = label[len(prefix) :] if label.startswith(prefix) else label
        label = "".join(each if each.isprintable() else " " for each in label)[:MAX_LABEL]
        return {"tracker": rule.tracker, "label": label, "kind": self.kind(rule, is_users), "number": rule.number}

    def kind(self, rule, is_users):
        if rule.action.endswith("anchor"):
            return "anchor"
        if rule.action in ("rdr", "binat"):
            return rule.action
        if rule.labels and not is_users:
            return "system"
        if not rule.interfaces or not rule.quick or rule.direction is None or rule.elsewhere:
            return "floating"
        if len(self.places.get(rule.tracker, rule.interfaces)) > 1:
            return "floating"
        return "rule" if rule.interfaces[0][-1:].isdigit() else "group"


class View:
    """Candidates in order. Those for one source host, one destination host or one port are found by it."""

    def __init__(self, candidates):
        self.candidates = list(candidates)
        self.rest = []
        self.indexes = ((SOURCE, {}), (DESTINATION, {}), (PORT, {}))
        for place, each in enumerate(self.candidates):
            for side, index in self.indexes:
                ranges = each.sides[side]
                if ranges is not None and len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
                    index.setdefault(ranges[0][0], []).append(place)
                    break
            else:
                self.rest.append(place)

    def find(self, box):
        """The candidates that a packet of the box may match, in order."""
        places = list(self.rest)
        for side, index in self.indexes:
            first, last = box[side]
            if first == last:
                places += index.get(first, ())
            else:
                for key, found in index.items():
                    if first <= key <= last:
                        places += found
        places.sort()
        return [self.candidates[place] for place in places]


def read_rule_set(rules, translations, interfaces, is_in_table, is_anchor_empty=None):
    """Makes a RuleSet of pfctl's texts.

    rules: what `pfctl -vvsr` prints. translations: what `pfctl -sn` (or -vvsn) prints.
    interfaces: what `ifconfig` prints (groups and addresses), what `pfctl -sI -v` prints (interfaces that pf skips), both
    texts one after the other, a mapping {interface: [group, ...]}, or "" if nothing is known.
    is_in_table(name, address): True, False or None (not known). Called only when a decision depends on it, and possibly
    several times for the same address: the caller caches.
    is_anchor_empty(kind, name): the same for `anchor` and `rdr-anchor`; without it, the anchors that pfSense fills at run
    time only (EMPTY_ANCHORS) count as empty, and any other as not known.
    """
    known = Interfaces(interfaces)
    return RuleSet(read_rules(rules, known), read_rules(translations, known), known, is_in_table, is_anchor_empty)


def decide(rule_set, flow, tracker):
    """Who decides the packets of a flow, for the block rule with this tracker. Returns a Decision; raises nothing of its own.

    flow: {"source", "destination" (addresses or networks, "" or "any" for every one), "port" ("", "22" or "8000:8010"),
    "protocol" ("tcp", "udp", "tcp/udp", "icmp", "any" and other names), "ipprotocol" ("inet" or "inet6"), "interface" (its
    real name, such as em0, or None if a packet may enter anywhere)}
    """
    if not rule_set.is_whole:
        return Decision("listed", "pf lists more rules than Firebreak reads", None)
    if tracker not in rule_set.ours:
        return Decision("listed", "pf lists no block rule with tracker %s" % tracker, None)
    try:
        return Search(rule_set, flow, tracker).decide()
    except Unreadable as reason:
        return Decision("listed", "the flow %s" % reason, None)
    except TooMany:
        return Decision("listed", "the rules split the flow into too many parts", None)


class Search:
    """One decision. Collects what passes, what is not known and who drops the rest; the worst of these is the answer."""

    def __init__(self, rule_set, flow, tracker):
        self.rule_set = rule_set
        self.tracker = tracker
        self.position = rule_set.ours[tracker]
        self.steps = MAX_STEPS
        self.family = 6 if flow.get("ipprotocol") == "inet6" else 4
        self.box = (
            self.read_addresses(flow.get("source")),
            EVERY_PORT,
            self.read_addresses(flow.get("destination")),
            read_ports(flow.get("port")),
        )
        self.protocols = self.read_protocols(flow.get("protocol"))
        self.flow_interfaces = [flow["interface"]] if flow.get("interface") else rule_set.names()
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
        names = (text or "any").lower()
        if names == "any":
            return sorted(each for each in self.rule_set.protocols | {ICMP[self.family]} if each != ICMP[10 - self.family])
        if names == "icmp":
            return [ICMP[self.family]]
        return [read_protocol(each) for each in names.split("/")[:4]]

    def decide(self):
        for interface in self.flow_interfaces:
            if interface in self.rule_set.interfaces.skipped:
                return Decision("shadowed", "pf does not filter on %s (set skip)" % interface, None)
            for protocol in self.protocols:
                self.run(interface, protocol)
                if self.passed is not None:
                    return Decision("shadowed", *self.passed)
        if self.spared is not None:
            return Decision("listed" if self.is_ours else "shadowed", *self.spared)
        if self.doubted is not None:
            return Decision("listed", *self.doubted)
        if not self.is_ours:
            return Decision("listed", *self.dropped)
        return Decision("decides", "", None)

    def run(self, interface, protocol):
        """All packets of one protocol that enter by one interface."""
        box = self.box
        if protocol in ICMP.values():
            box = box[:SOURCE_PORT] + (EVERY_PORT, box[DESTINATION], (0, 255))
        elif protocol not in WITH_PORTS:
            box = box[:SOURCE_PORT] + (EVERY_PORT, box[DESTINATION], EVERY_PORT)
        kind = (interface, self.family, protocol)
        for piece, through in self.translate(box, kind):
            self.filter(piece, kind, through)
        for piece, through in self.find_forwarded(box, kind):
            self.filter(piece, kind, through)

    def spend(self):
        self.steps -= 1
        if self.steps < 0:
            raise TooMany()

    # Translation

    def translate(self, box, kind):
        """(box as the filter rules see it, the translation or None) of all packets of the box that are not passed at once."""
        found = []
        stack = [(box, 0, self.rule_set.view(True, *kind).find(box))]
        while stack:
            piece, start, candidates = stack.pop()
            for place in range(start, len(candidates)):
                self.spend()
                each = candidates[place]
                inside, outside, doubt = self.split(piece, each)
                if not inside:
                    continue
                stack += [(other, place + 1, candidates) for other in outside + inside[1:] if other in outside]
                stack += [(other, place, candidates) for other in inside[1:]]
                piece = inside[0]
                if doubt is not None:
                    self.note_doubt(each, doubt)  # the packet may also be left as it is
                    continue
                if each.rule.action.startswith("no"):
                    found.append((piece, None))
                elif each.rule.passes:
                    self.note_forward(each.rule, piece)
                elif each.rule.target is None:
                    self.note_doubt(each, "sends packets to one of several addresses")
                else:
                    found.append((map_box(piece, each.rule, kind[1]), each.rule))
                break
            else:
                found.append((piece, None))
        return found

    def find_forwarded(self, box, kind):
        """Packets that a translation makes packets of this flow: they had another destination when they came in."""
        found = []
        view = self.rule_set.view(True, *kind)
        for each in view.candidates:
            rule = each.rule
            if rule.action not in ("rdr", "binat"):
                continue
            self.spend()
            if rule.target is not None and not overlaps(rule.target, box[DESTINATION]):
                continue
            start = (box[SOURCE], EVERY_PORT, (0, LAST[self.family]), EVERY_PORT if kind[2] in WITH_PORTS else box[PORT])
            inside, _, doubt = self.split(start, each)
            for piece in inside:
                self.note_reaching(piece, each, doubt, (box, kind), found)
        return found

    def note_reaching(self, piece, each, doubt, wanted, found):
        """What becomes of packets that this translation matches and no earlier one does."""
        (box, kind), rule = wanted, each.rule
        mapped = piece if rule.target is None else map_box(piece, rule, kind[1])
        meeting = intersect(mapped, box)
        if meeting is None or (rule.target is not None and not self.comes_first(piece, each, kind)):
            return
        if rule.target is None and doubt is None:
            doubt = "sends packets to one of several addresses"
        if doubt is not None:
            if rule.passes or not contains(self.box, meeting):
                self.note_doubt(each, doubt)
        elif rule.passes:
            self.note_forward(rule, piece)
        else:
            found.append((meeting, rule))

    def comes_first(self, piece, each, kind):
        """Whether some packet of the piece is matched by no translation before this one."""
        pieces = [piece]
        for other in self.rule_set.view(True, *kind).find(piece):
            if other.position >= each.position or other.rule.action.endswith("anchor"):
                continue
            left = []
            for part in pieces:
                self.spend()
                inside, outside, doubt = self.split(part, other)
                left += outside if inside and doubt is None else [part]
            pieces = left
        return bool(pieces)

    # Filter rules

    def filter(self, box, kind, through):
        for flags, packet in PACKETS if kind[2] == TCP else PACKETS[:1]:
            self.walk(box, kind, (flags, packet, through))

    def walk(self, box, kind, packet):
        """Decides each part of the box: finals are rules that may decide, `last` the ones that do if no quick rule does."""
        candidates = self.rule_set.view(False, *kind).find(box)
        stack = [(box, 0, (), ())]
        while stack:
            piece, start, finals, last = stack.pop()
            for place in range(start, len(candidates)):
                self.spend()
                each = candidates[place]
                if each.rule.flags is not None and kind[2] == TCP:
                    wanted, among = each.rule.flags
                    if packet[0] & among != wanted:
                        continue
                inside, outside, doubt = self.split(piece, each)
                if not inside:
                    continue
                stack += [(other, place + 1, finals, last) for other in outside]
                stack += [(other, place, finals, last) for other in inside[1:]]
                piece = inside[0]
                entry = (each, doubt)
                if doubt is not None and each.rule.quick:
                    finals += (entry,)
                elif doubt is not None:
                    last += (entry,)
                elif each.rule.quick:
                    self.settle(finals + (entry,), piece, packet)
                    break
                else:
                    last = (entry,)
            else:
                certain = [entry for entry in last if entry[1] is None]
                self.settle(finals + (last if certain else ((None, None),) + last), piece, packet)

    def split(self, box, each):
        """(parts of the box that the rule matches, the other parts, why the first is not certain)."""
        inside, outside = [box], []
        for side, ranges in enumerate(each.sides):
            if ranges is None:
                continue
            kept = []
            for part in inside:
                first, last = part[side]
                for low, high in ranges:
                    if low <= first and last <= high:
                        kept.append(part)
                        break
                    if high < first or low > last:
                        continue
                    kept.append(replaced(part, side, (max(first, low), min(last, high))))
                else:
                    outside += gaps(part, side, ranges)
            inside = kept
            if not inside:
                return [], [box], None
        doubt = each.doubt
        for side, name, negated in each.tables:
            found = self.ask(name, box[side])
            if found is negated:
                return [], [box], None
            if found is None:
                doubt = doubt or "depends on the table <%s>, whose content is not known" % name[:40]
        return inside, outside, doubt

    def ask(self, name, addresses):
        """Whether a table has the address. A table that has some address of a network may not have all of it."""
        first, last = addresses
        if first != last:
            return None
        found = self.rule_set.is_in_table(name, to_text(self.family, first))
        return found if found is None else bool(found)

    # Answers

    def settle(self, entries, piece, packet):
        """One part of the flow is decided by one of these rules; more than one if some are not certain."""
        passing = [entry for entry in entries if entry[0] is None or entry[0].rule.action != "block"]
        if not passing:
            self.note_drop(entries, packet)
        elif len(passing) == len(entries):
            self.note_pass(entries[-1][0], piece, packet)
        else:
            doubtful = [entry for entry in passing + list(entries) if entry[1] is not None]
            self.note_doubt(*doubtful[0])

    def note_drop(self, entries, packet):
        _, name, through = packet
        if name != "first":
            return
        if all(each.rule.tracker == self.tracker or (each.rule.quick and each.position < self.position) for each, _ in entries):
            self.is_ours = True
        elif self.dropped is None:
            described = self.rule_set.describe(entries[-1][0].rule)
            reason = "the packet does not match this rule; %s drops it" % subject(described)
            self.dropped = (explain_forward(through) + reason, described)

    def note_pass(self, each, piece, packet):
        _, name, through = packet
        if each is None:
            self.passed = (explain_forward(through) + "no rule matches its packets, and pf passes them", None)
            return
        described = self.rule_set.describe(each.rule)
        verb = "passes it first" if each.position < self.position else "passes it"
        if name == "open":
            verb = "passes packets of its open connections"
        reason = explain_forward(through) + "%s %s" % (subject(described), verb)
        part = self.tell_part(piece) if through is None else ""
        found = (reason + (", but only %s" % part if part else ""), described)
        if is_essential(piece, each.rule, self.family):
            self.spared = self.spared or found
        else:
            self.passed = self.passed or found

    def note_forward(self, rule, piece):
        described = self.rule_set.describe(rule)
        self.passed = self.passed or ("%s passes it before any rule" % name_forward(rule, self.family), described)

    def note_doubt(self, each, doubt):
        if self.doubted is None:
            described = self.rule_set.describe(each.rule)
            self.doubted = ("%s %s" % (subject(described), doubt), described)

    def tell_part(self, piece):
        """What distinguishes a part of the flow, or "" if it is all of it."""
        found = []
        if piece[SOURCE] != self.box[SOURCE]:
            found.append("from %s" % tell_addresses(self.family, piece[SOURCE]))
        if piece[SOURCE_PORT] != EVERY_PORT:
            found.append("from source port %s" % tell_ports(piece[SOURCE_PORT]))
        if piece[DESTINATION] != self.box[DESTINATION]:
            found.append("to %s" % tell_addresses(self.family, piece[DESTINATION]))
        if piece[PORT] not in (self.box[PORT], (0, 255)):
            found.append("to port %s" % tell_ports(piece[PORT]))
        return " ".join(found)


def is_essential(piece, rule, family):
    """Whether only packets pass that networks cannot do without, which pfSense passes before every rule of a user."""
    if rule.protocols == (ICMP[6],) and family == 6:
        return all(each in ESSENTIAL_TYPES for each in range(piece[PORT][0], piece[PORT][1] + 1))
    if rule.protocols == (UDP,):
        ends = (piece[SOURCE_PORT], piece[PORT])
        return all(first in DHCP_PORTS and last in DHCP_PORTS and last - first < 2 for first, last in ends)
    return False


def overlaps(one, other):
    return one[0] <= other[1] and other[0] <= one[1]


def intersect(one, other):
    if not all(overlaps(*pair) for pair in zip(one, other)):
        return None
    return tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other))


def contains(one, other):
    return all(a <= c and d <= b for (a, b), (c, d) in zip(one, other))


def replaced(box, side, ranges):
    return box[:side] + (ranges,) + box[side + 1 :]


def gaps(box, side, ranges):
    """The parts of a box that lie between and beside the ranges."""
    first, last = box[side]
    found = []
    for low, high in sorted(ranges):
        if low > last:
            break
        if low > first:
            found.append(replaced(box, side, (first, low - 1)))
        first = max(first, high + 1)
    if first <= last:
        found.append(replaced(box, side, (first, last)))
    return found


def map_box(box, rule, family):
    """The box after a translation: binat and networks keep the host's place, a range of ports its distance from the first."""
    target, width = rule.target, rule.target[1] - rule.target[0]
    if width == 0:
        box = replaced(box, DESTINATION, target)
    elif rule.action == "binat" and rule.destination[family][0][1] - rule.destination[family][0][0] == width:
        move = target[0] - rule.destination[family][0][0]
        box = replaced(box, DESTINATION, tuple(each + move for each in box[DESTINATION]))
    else:
        box = replaced(box, DESTINATION, target)
    if rule.target_ports is None:
        return box
    low, high = rule.target_ports
    if low == high:
        return replaced(box, PORT, (low, high))
    start = rule.ports[0][0] if rule.ports else 0
    moved = tuple(each - start + low for each in box[PORT])
    if moved[1] > (high if high >= 0 else EVERY_PORT[1]) or moved[0] < low:
        return replaced(box, PORT, (low, high if high >= 0 else EVERY_PORT[1]))
    return replaced(box, PORT, moved)


def read_ports(text):
    text = str(text or "")
    if not text:
        return EVERY_PORT
    first, _, last = text.partition(":")
    last = last or first
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last) <= EVERY_PORT[1]):
        raise Unreadable("has a port that is not a number: %s" % text[:40])
    return int(first), int(last)


def to_text(family, number):
    kind, size = (socket.AF_INET, 4) if family == 4 else (socket.AF_INET6, 16)
    return socket.inet_ntop(kind, number.to_bytes(size, "big"))


def tell_addresses(family, addresses):
    first, last = (to_text(family, each) for each in addresses)
    return first if first == last else "%s - %s" % (first, last)


def tell_ports(ports):
    return str(ports[0]) if ports[0] == ports[1] else "%d:%d" % ports


def subject(described):
    """A rule as the beginning of a sentence."""
    kind = {"floating": "floating rule", "group": "interface group rule", "system": "pfSense's rule"}.get(described["kind"], "rule")
    if described["kind"] == "anchor":
        return "the anchor '%s'" % described["label"]
    if described["kind"] in ("rdr", "binat"):
        return "the forward in line %d of pfctl -sn" % (described["number"] + 1)
    name = " '%s'" % described["label"] if described["label"] else " %d" % described["number"]
    return kind + name + (" (tracker %d)" % described["tracker"] if described["tracker"] is not None else "")


def name_forward(rule, family):
    """`the forward of 198.51.100.2 port 2222 to 192.168.1.10 port 22`."""
    outer = (rule.destination or {}).get(family)
    text = "the forward"
    if outer and len(outer) == 1:
        text += " of %s" % tell_addresses(family, outer[0])
    if rule.ports:
        text += " port %s" % tell_ports(rule.ports[0])
    if rule.target is not None:
        text += " to %s" % tell_addresses(family, rule.target)
    if rule.target_ports is not None:
        text += " port %d" % rule.target_ports[0]
    return text


def explain_forward(rule):
    if rule is None:
        return ""
    return "%s comes first: " % name_forward(rule, 6 if rule.family == 6 else 4)
