"""Reads one rule of pf, in the grammar of pf.conf(5). Python 3.6 and up.

The words of a rule come in any order. A word that is not known, or whose effect depends on more than a packet's header, makes
the rule doubtful: it is still limited by everything else in it, and `doubt` says what could not be read.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.firebreak.core.plugins.module_utils.pf_boxes import complement
from ansible_collections.firebreak.core.plugins.module_utils.pf_names import (
    ICMP,
    ICMP6_TYPES,
    ICMP_TYPES,
    LAST,
    Unreadable,
    read_flags,
    read_network,
    read_number,
    read_port,
    read_protocol,
    unknown,
)

PORT_SIGNS = ("=", "!=", "<", "<=", ">", ">=")
ACTIONS = ("pass", "block", "match", "anchor", "rdr", "no rdr", "binat", "no binat", "rdr-anchor", "binat-anchor")


class Rule:
    """A rule of pf, or a translation (`rdr` or `binat`), read as it concerns incoming packets.

    A range is a pair of integers, both ends included. `source` and `destination` are {4: ranges, 6: ranges}, or None for any;
    a table is ((name, whether it is empty), negated). `source_ports` and `ports` are ranges, or None for any; with ICMP,
    `ports` are types. `flags` are (set, out of), or None for any. `target` is the one address, or for binat the network, that
    a destination becomes; `target_ports` is a range, with -1 for an open end.
    """

    def __init__(self, number):
        self.number = number
        self.action = "pass"
        self.quick = self.elsewhere = self.is_routed = self.passes = False
        self.keeps_state = True
        self.flags = False  # until they are read, or finish() sets what pf assumes
        self.interfaces = self.protocols = self.labels = ()
        self.direction = self.family = self.doubt = self.tracker = None
        self.source = self.destination = self.source_ports = self.ports = None
        self.source_table = self.destination_table = self.target = self.target_ports = None
        self.target_table = None

    @classmethod
    def blocking_all(cls, number, tracker):
        rule = cls(number)
        rule.action, rule.quick, rule.flags, rule.tracker = "block", True, None, tracker
        return rule

    def copy(self, number, values):
        other = Rule.__new__(Rule)
        other.__dict__.update(self.__dict__, number=number, **values)
        return other


class Parser:
    """Reads one rule, token by token. An empty token marks the end."""

    def __init__(self, tokens, rule, interfaces):
        self.tokens = tokens + [""]
        self.at = 0
        self.rule = rule
        self.interfaces = interfaces

    def next(self):
        word = self.tokens[self.at]
        if not word:
            raise Unreadable("is not complete")
        self.at += 1
        return word

    def peek(self):
        return self.tokens[self.at]

    def take(self, *words):
        """The next token if it is one of the words, else None."""
        word = self.tokens[self.at]
        if word not in words:
            return None
        self.at += 1
        return word

    def many(self, one):
        """What `one` reads, once, or for each member of a list in braces."""
        if self.tokens[self.at] != "{":
            return [one()]
        self.at += 1
        found = []
        while not self.take("}"):
            found.append(one())
            self.take(",")
        return found

    def skip_brackets(self):
        if self.tokens[self.at] == "(":
            self.at += 1
            depth = 1
            while depth:
                depth += {"(": 1, ")": -1}.get(self.next(), 0)

    def skip_pool(self):
        """`(em0 192.0.2.1)`, a list of these, or an interface alone."""
        if self.take("{"):
            while self.next() != "}":
                pass
        elif self.peek() == "(":
            self.skip_brackets()
        else:
            self.next()

    def doubt(self, reason):
        self.rule.doubt = self.rule.doubt or reason

    def parse(self):
        """Reads all words. What cannot be read is a doubt, and the words after it are read all the same."""
        if "proto" in self.tokens:  # what the name of a port means depends on it
            self.at = self.tokens.index("proto") + 1
            self.guard(self.read_protocols)
            self.at = 0
        self.guard(self.read_action)
        while self.tokens[self.at]:
            word = self.next()
            try:
                read = WORDS.get(word)
                if read is None:
                    self.rule.quick = True  # the word may have been one that ends the search
                    raise unknown(word)
                read(self)
            except Unreadable as reason:
                self.doubt(str(reason))
        self.guard(self.finish)

    def guard(self, read):
        try:
            read()
        except Unreadable as reason:
            self.doubt(str(reason))

    def read_action(self):
        rule, word = self.rule, self.next()
        if word == "no":
            word += " " + self.next()
        if word not in ACTIONS:
            rule.quick = True
            raise unknown(word)
        rule.action = word
        if word == "block" and self.take("return", "drop", "return-rst", "return-icmp", "return-icmp6"):
            self.skip_brackets()
        elif word in ("rdr", "binat"):
            rule.passes = bool(self.take("pass"))
        elif word.endswith("anchor"):
            rule.quick = rule.passes = True  # as its rules may be
            rule.labels = (self.next().strip('"'),) if self.peek()[:1] == '"' else ()
            if self.take("{"):  # a block of rules: the caller hands over the first line only
                self.doubt("holds rules of its own")

    def read_interfaces(self):
        self.rule.elsewhere = bool(self.take("!"))
        names = self.many(self.next)
        if "!" in names:
            raise unknown("on { ! }")
        self.rule.interfaces = tuple(names)

    def read_protocols(self):
        self.rule.protocols = tuple(read_protocol(each) for each in self.many(self.next))

    def read_side(self, name):
        """An address with `!`, a table, what is in brackets, or a list; then its ports."""
        rule, negated = self.rule, bool(self.take("!"))
        try:
            members = self.many(self.read_host)
            tables = [each for kind, each in members if kind == "table"]
            if tables and len(members) == 1:
                setattr(rule, name + "_table", (tables[0], negated))
            elif tables or (negated and len(members) > 1):
                raise unknown("a list of addresses and tables")
            elif not any(kind == "any" for kind, each in members):
                setattr(rule, name, self.collect(members, negated))
            elif negated:
                raise unknown("! any")
        finally:
            if self.take("port"):
                ranges = [each for found in self.many(self.read_ports) for each in found if each[0] <= each[1]]
                setattr(rule, "source_ports" if name == "source" else "ports", tuple(ranges))
            if self.take("os"):
                self.next()
                self.doubt("depends on the sender's operating system")

    def collect(self, members, negated):
        """{family: ranges}. A rule with an address has that address's family, as pfctl sets it."""
        found = {4: (), 6: ()}
        for kind, each in members:
            for family, ranges in each.items():
                found[family] += ranges
            if kind == "literal" and len(members) == 1:
                self.rule.family = self.rule.family or list(each)[0]
        if negated:
            return {family: complement(ranges, LAST[family]) for family, ranges in found.items()}
        return found

    def read_host(self):
        word = self.next()
        if word in ("any", "all"):
            return "any", None
        if word[0] == "<" and len(word) > 2:
            name, _, count = word[1:-1].partition(":")
            return "table", (name, count == "0")
        if word == "(":
            text, end = self.next(), self.next()
            if end != ")" or self.peek()[:1] == "/":
                raise unknown("(%s" % text)
            return "dynamic", self.interfaces.ranges(text)
        if word in ("no-route", "urpf-failed", "route", "self"):
            raise Unreadable("depends on the routes or addresses of the firewall (%s)" % word)
        family, found = read_network(word)
        if self.take("-"):
            other, end = read_network(self.next())
            if other != family:
                raise unknown(word)
            found = (found[0], end[1])
        return "literal", {family: (found,)}

    def read_ports(self):
        protocols = self.rule.protocols
        sign = self.take(*PORT_SIGNS)
        word = self.next()
        if sign is None and ":" in word:
            first, _, last = word.partition(":")
            return [(read_port(first, protocols), 65535 if last == "*" else read_port(last, protocols))]
        port = read_port(word, protocols)
        between = self.take("><", "<>") if sign is None else None
        if between:
            end = read_port(self.next(), protocols)
            return [(port + 1, end - 1)] if between == "><" else [(0, port - 1), (end + 1, 65535)]
        return {
            None: [(port, port)], "=": [(port, port)], "!=": [(0, port - 1), (port + 1, 65535)], "<": [(0, port - 1)],
            "<=": [(0, port)], ">": [(port + 1, 65535)], ">=": [(port, 65535)],
        }[sign]  # fmt: skip

    def read_icmp_types(self, names):
        def one():
            word = self.next()
            number = names[word] if word in names else read_number(word, 255)
            if self.take("code"):
                self.next()
                self.doubt("depends on an ICMP code")
            return number, number

        self.rule.ports = tuple(self.many(one))
        self.rule.protocols = self.rule.protocols or (ICMP[4], ICMP[6])

    def read_state(self):
        if not self.take("state"):
            raise unknown("state")
        self.skip_brackets()

    def read_no_state(self):
        self.read_state()
        self.rule.keeps_state = False

    def read_negated(self):
        word = self.next()
        if word != "tagged":
            raise unknown("! %s" % word)
        self.next()
        self.doubt("depends on a tag")

    def read_set(self):
        if self.peek() == "(":
            self.skip_brackets()
        else:
            self.next()
            self.next()

    def read_tracker(self):
        self.rule.tracker = read_number(self.next(), 2**32 - 1)

    def read_target(self):
        """What a translation changes the destination to; what follows says how a pool is used."""
        members = self.many(self.read_host)
        if self.take("port"):
            first, _, last = self.next().partition(":")
            low = read_port(first, self.rule.protocols)
            last = str(low) if not last else last
            self.rule.target_ports = (low, -1) if last == "*" else (low, read_port(last, self.rule.protocols))
        self.at = len(self.tokens) - 1
        kind, found = members[0] if len(members) == 1 else ("pool", None)
        if kind == "table":
            self.rule.target_table = found[0]
        elif kind == "literal":
            family, ranges = list(found.items())[0]
            self.rule.family = self.rule.family or family
            if self.rule.action == "binat" or ranges[0][0] == ranges[0][1]:
                self.rule.target = ranges[0]

    def finish(self):
        """What the words mean together."""
        rule = self.rule
        if not rule.protocols and (rule.ports is not None or rule.source_ports is not None):
            self.doubt("has a port but no protocol")
        if rule.flags is False:
            # pf.conf(5): a pass rule that keeps state and names no flags has "flags S/SA".
            rule.flags = read_flags("S/SA") if rule.action == "pass" and rule.keeps_state else None
        if rule.action == "pass" and rule.is_routed:
            self.doubt("sends packets to a gateway of its own (route-to)")
        if rule.action == "binat":
            self.reverse_binat()

    def reverse_binat(self):
        """A binat rule reads from the inside; an incoming packet meets its other side: pf.conf(5), TRANSLATION."""
        rule = self.rule
        inner, outer = (rule.source or {}).get(rule.family, ()), rule.target
        rule.source, rule.source_table = rule.destination, rule.destination_table
        rule.destination_table = None
        if outer is None or len(inner) != 1:
            rule.destination, rule.target = None, None
            raise Unreadable("translates in a way that Firebreak does not know")
        rule.destination, rule.target = {4: (), 6: (), rule.family: (outer,)}, inner[0]


def setting(name, value):
    return lambda parser: setattr(parser.rule, name, value)


def doubting(reason, arguments=1):
    """A word whose effect cannot be known from a packet's header."""

    def read(parser):
        for _ in range(arguments):
            parser.next()
        parser.skip_brackets()
        raise Unreadable(reason)

    return read


def skipping(arguments):
    def read(parser):
        for _ in range(arguments):
            parser.next()

    return read


def skip_limiter(parser):
    if parser.peek() == "(":
        parser.skip_brackets()
    else:
        parser.next()


def read_route(parser):
    parser.skip_pool()
    parser.rule.is_routed = True


def read_user(parser):
    sign = parser.take(*PORT_SIGNS)
    parser.next()
    if sign is None and parser.take("><", "<>"):
        parser.next()
    raise Unreadable("depends on the user of a socket")


def read_rule_flags(parser):
    parser.rule.flags = read_flags(parser.next())


WORDS = {
    "in": setting("direction", "in"),
    "out": setting("direction", "out"),
    "quick": setting("quick", True),
    "inet": setting("family", 4),
    "inet6": setting("family", 6),
    "all": skipping(0),
    "log": Parser.skip_brackets,
    "on": Parser.read_interfaces,
    "proto": Parser.read_protocols,
    "from": lambda parser: parser.read_side("source"),
    "to": lambda parser: parser.read_side("destination"),
    "flags": read_rule_flags,
    "icmp-type": lambda parser: parser.read_icmp_types(ICMP_TYPES),
    "icmp6-type": lambda parser: parser.read_icmp_types(ICMP6_TYPES),
    "keep": Parser.read_state,
    "modulate": Parser.read_state,
    "synproxy": Parser.read_state,
    "no": Parser.read_no_state,
    "ridentifier": Parser.read_tracker,
    "tracker": Parser.read_tracker,
    "->": Parser.read_target,
    # These change what becomes of a packet, not which packets match.
    "reply-to": Parser.skip_pool,
    "route-to": read_route,
    "dup-to": read_route,
    "round-robin": skipping(0),
    "sticky-address": skipping(0),
    "random": skipping(0),
    "bitmask": skipping(0),
    "tag": skipping(1),
    "set": Parser.read_set,
    "schedule": skipping(1),
    "allow-opts": skipping(0),
    "divert-reply": skipping(0),
    "queue": skip_limiter,
    "dnpipe": skip_limiter,
    "dnqueue": skip_limiter,
    "no-df": skipping(0),
    "random-id": skipping(0),
    "min-ttl": skipping(1),
    "max-mss": skipping(1),
    "set-tos": skipping(1),
    "scrub": Parser.skip_brackets,
    # These do.
    "tagged": doubting("depends on a tag"),
    "!": Parser.read_negated,
    "user": read_user,
    "group": read_user,
    "tos": doubting("depends on the type of service"),
    "dscp": doubting("depends on the type of service"),
    "prio": doubting("depends on the priority of a frame"),
    "probability": doubting("matches by chance (probability)"),
    "fragment": doubting("matches fragments only", 0),
    "rtable": doubting("uses another routing table"),
    "divert-to": doubting("sends packets to a program"),
    "received-on": doubting("depends on the interface by which a packet was received"),
}
