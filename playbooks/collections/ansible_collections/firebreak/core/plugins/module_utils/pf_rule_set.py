"""Finds the rules of pf that may concern a packet, and says what they are called. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import socket
from collections import namedtuple

from ansible_collections.firebreak.core.plugins.module_utils.pf_boxes import DESTINATION, PORT, SOURCE
from ansible_collections.firebreak.core.plugins.module_utils.pf_names import TCP, UDP
from ansible_collections.firebreak.core.plugins.module_utils.pf_rule import Rule

MAX_LABEL = 60
# Steps of all decisions on one rule set, and of one decision. Only a rule set that was made for it needs more.
MAX_STEPS = 10000000
MAX_STEPS_OF_ONE = 100000

# pfSense has these anchors everywhere and fills them at run time only: userrules for an administrator's own scripts, openvpn
# and ipsec for access lists of VPN users, tftp-proxy for transfers in progress.
EMPTY_ANCHORS = ("userrules/*", "openvpn/*", "ipsec/*", "tftp-proxy/*")
# Packets do not come in from outside by these.
INNER_INTERFACES = ("lo", "pflog", "pfsync")
OTHER_PROTOCOL = -1
# The tracker of the rule at the end of a cut; pf knows none that is negative.
CUT = -1
# The doubt about an anchor that is not empty.
FILLED = "has rules that are not known"


class TooMany(Exception):
    """The decision would take too many steps."""


# A rule as it concerns packets of one interface, family and protocol: `doubt` says why it may not match what it seems to.
Candidate = namedtuple("Candidate", "position rule sides tables doubt")
# What a packet may enter by, and what it is.
Kind = namedtuple("Kind", "interface family protocol")


class RuleSet:
    """What pf has loaded. Rules are sorted out once per kind of packet, and found by their single hosts and ports."""

    def __init__(self, rules, translations, interfaces, is_in_table, is_anchor_empty):
        self.interfaces = interfaces
        self.is_in_table = is_in_table
        self.is_anchor_empty = is_anchor_empty
        self.rules, has_rules = rules
        found, has_translations = translations
        # pf asks for an rdr rule first, wherever the binat rules are: pf.conf(5), TRANSLATION.
        self.translations = sorted(found, key=lambda rule: "binat" in rule.action)
        self.is_whole = has_rules and has_translations
        self.steps = MAX_STEPS
        self.views = {}
        self.cuts = {}
        self.empty = {}  # whether an anchor is
        self.first_of = {}  # of each tracker the position of its first block rule
        self.interfaces_of = {}
        self.protocols = {TCP, UDP, OTHER_PROTOCOL}
        for position, rule in enumerate(self.rules):
            self.interfaces_of.setdefault(rule.tracker, set()).update(rule.interfaces or ("",))
            if rule.action == "block" and rule.tracker is not None:
                self.first_of.setdefault(rule.tracker, position)
        for rule in self.rules + self.translations:
            self.protocols.update(rule.protocols)

    def cut(self, position):
        """The same as far as this position, where a rule blocks all that is left: its tracker is CUT."""
        if position not in self.cuts:
            rules = (self.rules[:position] + [Rule.blocking_all(position, CUT)], self.is_whole)
            translations = (self.translations, True)
            self.cuts[position] = RuleSet(rules, translations, self.interfaces, self.is_in_table, self.is_anchor_empty)
        return self.cuts[position]

    def spend(self, steps):
        self.steps -= steps
        if self.steps < 0:
            raise TooMany()

    def view(self, kind, is_translation=False):
        """The filter rules, or translations, that packets of this kind can match."""
        key = (kind, is_translation)
        if key not in self.views:
            rules = self.translations if is_translation else self.rules
            self.spend(len(rules))
            found = (self.candidate(position, rule, kind) for position, rule in enumerate(rules))
            self.views[key] = View([each for each in found if each is not None])
        return self.views[key]

    def candidate(self, position, rule, kind):
        """The rule if a packet of this kind can match it, else None. A `match` rule decides nothing."""
        if rule.direction == "out" or rule.action == "match" or rule.family not in (None, kind.family):
            return None
        if rule.protocols and kind.protocol not in rule.protocols:
            return None
        doubt = rule.doubt
        if rule.interfaces:
            found = self.is_on(rule, kind.interface)
            if found is False:
                return None
            if found is None:
                doubt = doubt or "is for an interface group whose members are not known"
        if rule.action.endswith("anchor"):
            doubt = FILLED
        tables = []
        for side, table in ((SOURCE, rule.source_table), (DESTINATION, rule.destination_table)):
            if table is None:
                continue
            (name, is_empty), negated = table
            if is_empty and not negated:
                return None
            if not is_empty:
                tables.append((side, name, negated))
        sides = (
            None if rule.source is None else rule.source[kind.family],
            rule.source_ports,
            None if rule.destination is None else rule.destination[kind.family],
            rule.ports,
        )
        return Candidate(position, rule, sides, tables, doubt)

    def is_on(self, rule, interface):
        """Whether the rule is for the interface; None if that is not known."""
        found = [self.interfaces.holds(name, interface) for name in rule.interfaces]
        holds = True if True in found else None if None in found else False
        return holds if not rule.elsewhere or holds is None else not holds

    def is_empty(self, anchor):
        key = (anchor.action, anchor.labels[0] if anchor.labels else "")
        if key not in self.empty:
            found = None if self.is_anchor_empty is None else self.is_anchor_empty(*key)
            self.empty[key] = key[1] in EMPTY_ANCHORS if found is None else found
        return self.empty[key]

    def entrances(self):
        """The interfaces by which a packet may enter: those of ifconfig and those that rules name."""
        named = {name for rule in self.rules + self.translations for name in rule.interfaces if name[-1:].isdecimal()}
        found = named | set(self.interfaces.groups)
        return sorted(name for name in found if not name.startswith(INNER_INTERFACES)) or [""]

    def describe(self, rule):
        """{tracker, label, kind, number}. The label is free text, cut and without control characters.

        The kind is "anchor", "rdr", "binat", "system" (one of pfSense's own rules), "floating", "group", or "rule": on a single
        interface a floating rule looks like that interface's own.
        """
        own = [each for each in rule.labels if each.startswith(("USER_RULE", "descr="))]
        is_users = bool(own) or "tags=user_rule" in rule.labels
        texts = own or [each for each in rule.labels if not each.startswith(("id:", "id=", "s:", "s=", "gw:", "tags="))]
        label = texts[0] if texts else ""
        for prefix in ("USER_RULE: ", "USER_RULE", "descr="):
            label = label[len(prefix) :] if label.startswith(prefix) else label
        label = "".join(each if each.isprintable() else " " for each in label).strip()[:MAX_LABEL]
        return {"tracker": rule.tracker, "label": label, "kind": self.kind_of(rule, is_users), "number": rule.number}

    def kind_of(self, rule, is_users):
        if rule.action.endswith("anchor"):
            return "anchor"
        if rule.action in ("rdr", "binat"):
            return rule.action
        if rule.labels and not is_users:
            return "system"
        if not rule.interfaces or not rule.quick or rule.direction is None or rule.elsewhere:
            return "floating"
        if rule.tracker is not None and len(self.interfaces_of[rule.tracker]) > 1:
            return "floating"
        return "rule" if rule.interfaces[0][-1:].isdecimal() else "group"

    def name(self, rule):
        """The rule as the beginning of a sentence."""
        described = self.describe(rule)
        kind, label = described["kind"], described["label"]
        if kind == "anchor":
            return "the anchor '%s'" % label
        if kind in ("rdr", "binat"):
            return name_forward(rule, label)
        kind = {"floating": "floating rule", "group": "group rule", "system": "pfSense's rule"}.get(kind, "rule")
        tracker = " (tracker %d)" % rule.tracker if rule.tracker is not None else ""
        return "%s %s%s" % (kind, "'%s'" % label if label else "%d" % rule.number, tracker)


class View:
    """Candidates in order. Those for one source host, one destination host or one port are found by it."""

    def __init__(self, candidates):
        self.candidates = candidates
        self.rest = []
        self.indexes = [(side, {}) for side in (SOURCE, DESTINATION, PORT)]
        self.by_target, self.no_target = {}, []
        for place, each in enumerate(candidates):
            for side, index in self.indexes:
                ranges = each.sides[side]
                if ranges is not None and len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
                    index.setdefault(ranges[0][0], []).append(place)
                    break
            else:
                self.rest.append(place)
            target = each.rule.target
            if target is not None and target[0] == target[1]:
                self.by_target.setdefault(target[0], []).append(each)
            elif each.rule.action.startswith(("rdr", "binat")):
                self.no_target.append(each)

    def find(self, box):
        """The candidates that a packet of the box may match, in order."""
        places = list(self.rest)
        for side, index in self.indexes:
            for found in within(index, box[side]):
                places += found
        places.sort()
        return [self.candidates[place] for place in places]

    def leading_to(self, addresses):
        """The translations that may change a destination to one of the addresses."""
        return [each for found in within(self.by_target, addresses) for each in found] + self.no_target


def within(index, ranges):
    first, last = ranges
    if first == last:
        return [index[first]] if first in index else []
    return [found for key, found in index.items() if first <= key <= last]


def to_text(family, number):
    kind, size = (socket.AF_INET, 4) if family == 4 else (socket.AF_INET6, 16)
    return socket.inet_ntop(kind, number.to_bytes(size, "big"))


def tell_addresses(family, addresses):
    first, last = (to_text(family, each) for each in addresses)
    return first if first == last else "%s - %s" % (first, last)


def tell_ports(ports):
    return str(ports[0]) if ports[0] == ports[1] else "%d:%d" % ports


def name_forward(rule, label):
    """`the forward of 198.51.100.2 port 2222 to 192.168.1.10 port 22`, or by its label if it has one."""
    if label:
        return "the forward '%s'" % label
    family = rule.family or 4
    outer = (rule.destination or {}).get(family, ())
    text = "the forward"
    if len(outer) == 1:
        text += " of %s" % tell_addresses(family, outer[0])
    if rule.ports:
        text += "%s port %s" % ("" if len(outer) == 1 else " of", tell_ports(rule.ports[0]))
    if rule.target is not None:
        text += " to %s" % tell_addresses(family, rule.target)
        if rule.target_ports is not None:
            text += " port %d" % rule.target_ports[0]
    return text
