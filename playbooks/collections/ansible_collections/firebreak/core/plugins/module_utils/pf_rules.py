"""Reads the rules that pf has loaded, in the grammar of pf.conf(5). Python 3.6 and up.

The text is what `pfctl -vvsr` and `pfctl -sn` print, or what pfSense writes to /tmp/rules.debug. The words of a rule come in
any order. A word that is not known, or whose effect depends on more than a packet's header, makes the rule doubtful: it is
still limited by everything else in it, and `doubt` says what could not be read. No line ends in an exception.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import socket

# A firewall that prints more than this is not believed.
MAX_LINES = 200000
MAX_LINE = 8192
MAX_TOKENS = 2000

LAST = {4: 2**32 - 1, 6: 2**128 - 1}
EVERY_PORT = (0, 65535)
TCP, UDP = 6, 17
WITH_PORTS = (TCP, UDP, 132)
ICMP = {4: 1, 6: 58}

# One pass over a line. Labels are quoted and may hold anything but a quote; a quote without its end is a token of its own.
TOKEN = re.compile(r'"[^"]*"|<[^\s<>"]+>|!=|[{}(),!"]|[^\s{}(),!"]+')
# "@12 ", or "@12(2000000001) " of an older pf.
NUMBERED = re.compile(r"^@(\d{1,9})(?:\((\d{1,10})\))?\s+")
MACRO = re.compile(r'^\s*(\w+)\s*=\s*"(.*)"\s*$')
# Not rules: counters below each rule, comments, what pfctl says about a kernel without ALTQ, and what rules.debug defines.
NOT_A_RULE = re.compile(r"^\s*($|#|\[|No ALTQ support|ALTQ related functions|table\s*<|set\s|scrub\b|no scrub\b|altq\b|queue\b)")

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "ipv4": 4, "tcp": 6, "egp": 8, "udp": 17, "ipv6": 41, "rsvp": 46, "gre": 47, "esp": 50,
    "ah": 51, "ipv6-icmp": 58, "icmp6": 58, "eigrp": 88, "ospf": 89, "ospfigp": 89, "ipip": 94, "etherip": 97, "pim": 103,
    "ipcomp": 108, "carp": 112, "vrrp": 112, "l2tp": 115, "sctp": 132, "pfsync": 240,
}  # fmt: skip

# Names that FreeBSD's /etc/services has for ports that firewalls often name; getservbyname is asked for any other.
SERVICES = {
    "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69,
    "http": 80, "pop3": 110, "sunrpc": 111, "ntp": 123, "imap": 143, "snmp": 161, "snmptrap": 162, "bgp": 179, "ldap": 389,
    "https": 443, "microsoft-ds": 445, "isakmp": 500, "syslog": 514, "submission": 587, "dhcpv6-client": 546,
    "dhcpv6-server": 547, "ldaps": 636, "imaps": 993, "pop3s": 995, "openvpn": 1194, "tproxy": 8081,
}  # fmt: skip

ICMP_TYPES = {
    "echorep": 0, "unreach": 3, "squench": 4, "redir": 5, "althost": 6, "echoreq": 8, "routeradv": 9, "routersol": 10,
    "timex": 11, "paramprob": 12, "timereq": 13, "timerep": 14, "inforeq": 15, "inforep": 16, "maskreq": 17, "maskrep": 18,
    "trace": 30, "dataconv": 31, "mobredir": 32, "ipv6-where": 33, "ipv6-here": 34, "mobregreq": 35, "mobregrep": 36,
    "skip": 39, "photuris": 40,
}  # fmt: skip
ICMP6_TYPES = {
    "unreach": 1, "toobig": 2, "timex": 3, "paramprob": 4, "echoreq": 128, "echorep": 129, "groupqry": 130, "listqry": 130,
    "grouprep": 131, "listenrep": 131, "groupterm": 132, "listendone": 132, "routersol": 133, "routeradv": 134,
    "neighbrsol": 135, "neighbradv": 136, "redir": 137, "routrrenum": 138, "fqdnreq": 139, "niqry": 139, "wrureq": 139,
    "fqdnrep": 140, "nirep": 140, "wrurep": 140, "mtraceresp": 200, "mtrace": 201,
}  # fmt: skip

FLAG_BITS = {letter: 1 << place for place, letter in enumerate("FSRPAUEW")}
FLAGS = re.compile(r"^([FSRPAUEW]*)/([FSRPAUEW]*)$")


class Unreadable(Exception):
    """Why a part of a rule cannot be read, as the end of a sentence that begins with the rule."""


def unknown(word):
    return Unreadable("has a part that Firebreak does not know: %s" % word[:40])


class Rule:
    """A rule of pf, or (`target`) a translation. Ranges are pairs of integers, both ends included.

    `sides` are the rule's source addresses, source ports, destination addresses and destination ports (or ICMP types), each
    a tuple of ranges, or None for any; addresses are a dict from the address family. A table is a pair (name, negated).
    """

    __slots__ = (
        "number", "action", "quick", "direction", "interfaces", "elsewhere", "family", "protocols", "source", "source_ports",
        "source_table", "destination", "ports", "destination_table", "flags", "keeps_state", "is_routed", "doubt", "tracker",
        "labels", "passes", "target", "target_ports",
    )  # fmt: skip

    def __init__(self, number):
        self.number = number
        self.action = "pass"
        self.quick = self.elsewhere = self.is_routed = self.passes = False
        self.keeps_state = True
        self.interfaces = self.protocols = self.labels = ()
        self.direction = self.family = self.flags = self.doubt = self.tracker = None
        self.source = self.destination = self.source_ports = self.ports = None
        self.source_table = self.destination_table = self.target = self.target_ports = None

    def __repr__(self):
        return "<Rule %s>" % ", ".join("%s=%r" % (name, getattr(self, name)) for name in self.__slots__)


class Interfaces:
    """The firewall's interfaces: their groups, their addresses and whether pf leaves them alone (`set skip`).

    Made from a mapping {name: [group, ...]}, from the text of `ifconfig`, from that of `pfctl -sI -v`, or from both texts,
    one after the other. pfSense's groups are groups of the kernel, so ifconfig names them. Without any, `is_known` is False,
    and whether a group has an interface cannot be said.
    """

    def __init__(self, given):
        self.groups, self.addresses, self.skipped = {}, {}, set()
        if hasattr(given, "items"):
            self.groups = {name: set(groups) for name, groups in given.items()}
        else:
            self.read(given or "")
        self.is_known = bool(self.groups)

    def read(self, text):
        name = None
        for line in text.splitlines()[:MAX_LINES]:
            words = line[:MAX_LINE].split()
            if not words:
                continue
            if not line[0].isspace():
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
        width = bits or options.get("prefixlen")
        if width is None and "netmask" in options:
            mask = options["netmask"]
            value = int(mask, 16) if mask.startswith("0x") else (read_address(mask) or (4, LAST[4]))[1]
            width = bin(value).count("1")
        width = int(width) if str(width).isdigit() else (32 if family == 4 else 128)
        self.addresses.setdefault(name, []).append((family, (number, number), network(family, number, width)))

    def holds(self, name, interface):
        """Whether `on NAME` matches a packet that enters by the interface: True, False, or None if it is not known.

        FreeBSD lets no group's name end in a digit, and gives every interface a name that does.
        """
        if name in (interface, "all"):
            return True
        if name[-1:].isdigit():
            return False
        return name in self.groups[interface] if interface in self.groups else None

    def ranges(self, text):
        """{family: ranges} of what stands in brackets, `self`, `em0`, `em0:network`; pfctl -vv adds their number."""
        name, *options = text.split(":")
        wants_network = "network" in options
        if not self.addresses or [each for each in options if each != "network" and (each == "0" or not is_count(each))]:
            raise Unreadable("depends on the addresses of (%s), which are not known" % text[:40])
        found = {4: (), 6: ()}
        for interface, addresses in self.addresses.items():
            if name == "self" or self.holds(name, interface):
                for family, own, around in addresses:
                    found[family] += (around if wants_network else own,)
        return found


def is_count(word):
    return word == "*" or word.isdigit()


def read_address(text):
    """(family, number) of an address, or None."""
    family, kind = (6, socket.AF_INET6) if ":" in text else (4, socket.AF_INET)
    try:
        return family, int.from_bytes(socket.inet_pton(kind, text), "big")
    except (OSError, ValueError):
        return None


def network(family, number, width):
    """The range of a network; a width that the family does not have is that of a host."""
    size = 32 if family == 4 else 128
    hosts = size - width if 0 <= width <= size else 0
    first = number >> hosts << hosts
    return first, first + (1 << hosts) - 1


def read_network(text):
    """(family, (first, last)) of an address or network; Unreadable if it is neither."""
    address, slash, width = text.partition("/")
    found = read_address(address.split("%")[0])
    if found is None or (slash and not (width.isdigit() and int(width) <= (32 if found[0] == 4 else 128))):
        raise unknown(text)
    return found[0], network(found[0], found[1], int(width) if slash else 128 if found[0] == 6 else 32)


def complement(ranges, last):
    """What a set of ranges leaves of 0 to last."""
    found, start = [], 0
    for first, end in sorted(ranges):
        if first > start:
            found.append((start, first - 1))
        start = max(start, end + 1)
    if start <= last:
        found.append((start, last))
    return tuple(found)


def read_number(text, highest=65535):
    if not (text.isdigit() and len(text) <= 10 and int(text) <= highest):
        raise unknown(text)
    return int(text)


SERVICES_FOUND = {}


def read_port(text, protocols):
    """The number of a port. A name is one of the firewall's /etc/services, since pfctl printed it from there."""
    if text.isdigit():
        return read_number(text)
    if text in SERVICES:
        return SERVICES[text]
    key = (text, "tcp" if protocols == (TCP,) else "udp")
    if key not in SERVICES_FOUND:
        try:
            SERVICES_FOUND[key] = socket.getservbyname(*key)
        except (OSError, UnicodeError, ValueError):
            SERVICES_FOUND[key] = None
    if SERVICES_FOUND[key] is None:
        raise Unreadable("names a port that the firewall does not know: %s" % text[:40])
    return SERVICES_FOUND[key]


def read_protocol(text):
    if text in PROTOCOLS:
        return PROTOCOLS[text]
    if text.isdigit():
        return read_number(text, 255)
    try:
        return socket.getprotobyname(text)
    except (OSError, UnicodeError, ValueError):
        raise Unreadable("names a protocol that the firewall does not know: %s" % text[:40])


def read_flags(text):
    """(set, out of) as bits, or None for any."""
    if text == "any":
        return None
    found = FLAGS.match(text)
    if found is None:
        raise unknown("flags %s" % text)
    wanted, among = (sum(FLAG_BITS[letter] for letter in set(part)) for part in found.groups())
    return wanted, among or 255


class Parser:
    """Reads one rule, token by token."""

    def __init__(self, tokens, rule, interfaces):
        self.tokens = tokens
        self.at = 0
        self.rule = rule
        self.interfaces = interfaces
        self.port_words = []

    def next(self):
        if self.at >= len(self.tokens):
            raise Unreadable("is not complete")
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *words):
        """The next token if it is one of the words, else None."""
        if self.peek() not in words:
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def many(self, one):
        """What `one` reads, once, or for each member of a list in braces."""
        if not self.take("{"):
            return [one()]
        found = []
        while not self.take("}"):
            found.append(one())
            self.take(",")
        return found

    def skip_brackets(self):
        if self.take("("):
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
        try:
            self.read_action()
        except Unreadable as reason:
            self.doubt(str(reason))
            self.rule.quick = True
        while self.at < len(self.tokens):
            word = self.next()
            read = WORDS.get(word)
            if read is None:
                self.doubt(str(unknown(word)))
                self.rule.quick = True  # the word may have been one that ends the search
            else:
                self.guard(read, self)
        self.guard(self.finish)

    def guard(self, read, *arguments):
        try:
            read(*arguments)
        except Unreadable as reason:
            self.doubt(str(reason))

    def read_action(self):
        rule, word = self.rule, self.next()
        if word == "no":
            word += " " + self.next()
        if word not in ("pass", "block", "match", "anchor", "rdr", "no rdr", "binat", "no binat", "rdr-anchor", "binat-anchor"):
            raise unknown(word)
        rule.action = word
        if word == "block" and self.take("return", "drop", "return-rst", "return-icmp", "return-icmp6"):
            self.skip_brackets()
        elif word in ("rdr", "binat"):
            rule.passes = bool(self.take("pass"))
        elif word.endswith("anchor"):
            rule.quick = True
            rule.labels = (self.next().strip('"'),) if (self.peek() or "")[:1] == '"' else ()
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
                start = self.at
                self.guard(self.many, self.skip_port)
                self.port_words.append((name, start, self.at))
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
            if end != ")" or (self.peek() or "")[:1] == "/":
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

    def skip_port(self):
        """Ports are read at the end, because their names depend on the protocol."""
        if not self.take("=", "!=", "<", "<=", ">", ">="):
            self.next()
            if not self.take("><", "<>"):
                return
        self.next()

    def read_ports(self):
        protocols = self.rule.protocols
        sign = self.take("=", "!=", "<", "<=", ">", ">=")
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

    def read_state(self):
        if not self.take("state"):
            raise unknown(self.peek() or "keep")
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
        self.at = len(self.tokens)
        if len(members) == 1 and members[0][0] == "literal":
            (family, ranges), = members[0][1].items()
            self.rule.family = self.rule.family or family
            self.rule.target = ranges[0]

    def finish(self):
        """The ports; the flags that pf assumes; and what a rule cannot match if it is not of a protocol."""
        rule, end = self.rule, self.at
        for name, start, stop in self.port_words:
            self.at = start
            ranges = tuple(sorted(each for found in self.many(self.read_ports) for each in found if each[0] <= each[1]))
            if name == "source":
                rule.source_ports = ranges
            else:
                rule.ports = ranges
        self.at = end
        if self.port_words and not rule.protocols:
            self.doubt("has a port but no protocol")
        if rule.ports is not None and not self.port_words and not rule.protocols:
            rule.protocols = (ICMP[4], ICMP[6])
        if rule.action == "pass" and rule.flags is False:
            # pf.conf(5): a pass rule that keeps state and names no flags has "flags S/SA".
            rule.flags = read_flags("S/SA") if rule.keeps_state else None
        rule.flags = rule.flags or None
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
    parser.skip_port()
    raise Unreadable("depends on the user of a socket")


def read_label(parser):
    parser.rule.labels += (parser.next().strip('"'),)


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
    "label": read_label,
    "ridentifier": Parser.read_tracker,
    "tracker": Parser.read_tracker,
    "->": Parser.read_target,
    # These change what becomes of a packet, not which packets match.
    "reply-to": Parser.skip_pool,
    "route-to": read_route,
    "dup-to": read_route,
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


def tokenize(line, macros):
    """The tokens of a line, with the macros of rules.debug filled in. Work is bounded by MAX_LINE and MAX_TOKENS."""
    tokens = TOKEN.findall(line)
    for _ in range(3):  # a macro may name another
        if not any(each[0] == "$" and each[1:] in macros for each in tokens):
            break
        filled = []
        for each in tokens:
            filled += macros.get(each[1:], [each]) if each[0] == "$" else [each]
            if len(filled) > MAX_TOKENS:
                break
        tokens = filled
    return tokens[:MAX_TOKENS]


def read_line(line, number, macros, interfaces):
    rule = Rule(number)
    rule.flags = False
    numbered = NUMBERED.match(line)
    if numbered:
        rule.number = int(numbered.group(1))
        rule.tracker = int(numbered.group(2)) if numbered.group(2) else None
        line = line[numbered.end() :]
    if len(line) > MAX_LINE:
        rule.flags, rule.quick, rule.doubt = None, True, "is too long to be read"
        return rule
    Parser(tokenize(line, macros), rule, interfaces).parse()
    return rule


def read_rules(text, interfaces):
    """All rules of a text, in order. (rules, whether the text was read to its end)"""
    lines = text.splitlines()
    macros, rules, depth = {}, [], 0
    for line in lines[:MAX_LINES]:
        if depth:  # inside of a block of rules of an anchor
            depth += line.rstrip().endswith("{") - (line.strip() == "}")
            continue
        if NOT_A_RULE.match(line):
            continue
        macro = MACRO.match(line) if line[0] != "@" and len(line) <= MAX_LINE else None
        if macro:
            macros[macro.group(1)] = TOKEN.findall(macro.group(2))
            continue
        bare = NUMBERED.sub("", line[:200]).lstrip()
        if bare.startswith(("nat ", "no nat ", "nat-anchor ", "scrub ", "no scrub ")):
            continue  # neither decides about a packet that comes in
        depth = int(bare.startswith("anchor") and line.rstrip().endswith("{"))
        rules.append(read_line(line, len(rules), macros, interfaces))
    return rules, len(lines) <= MAX_LINES
