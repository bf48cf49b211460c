"""Reads the rules that pf has loaded, line by line. Python 3.6 and up.

The text is what `pfctl -vvsr` and `pfctl -sn` print, or what pfSense writes to /tmp/rules.debug. No line ends in an exception.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.firebreak.core.plugins.module_utils.pf_names import MAX_LINE, MAX_LINES, read_address
from ansible_collections.firebreak.core.plugins.module_utils.pf_rule import Parser, Rule

MAX_TOKENS = 2000

# Labels are free text, and hold anything but a quote: they are taken out before a line is read.
LABEL = re.compile(r'\slabel "([^"]*)"')
# A quote without its end is a token of its own.
TOKEN = re.compile(r'><|[^\s{}(),!"<]+|"[^"]*"|<[^\s<>"]+>|<[=>]?|!=|[{}(),!"]')
# "@12 ", or "@12(2000000001) " of an older pf.
NUMBERED = re.compile(r"^@(\d{1,9})(?:\((\d{1,10})\))?\s+")
MACRO = re.compile(r'^\s*(\w+)\s*=\s*"(.*)"\s*$')
IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+$")
# What a rule has where zeros stand for its values.
ZERO = ((0, 0),)
HIDDEN = {
    "source": {4: ZERO, 6: ()}, "destination": {4: ZERO, 6: ()}, "source_ports": ZERO, "ports": ZERO, "tracker": 0,
}  # fmt: skip
# Not rules: counters below each rule, comments, what pfctl says about a kernel without ALTQ, and what rules.debug defines.
NOT_A_RULE = re.compile(r"^\s*(?:$|#|\[|(?:No ALTQ support|ALTQ related functions|table|set|scrub|no scrub|altq|queue)\b)")
# Rules that do not decide about a packet that comes in.
NOT_INCOMING = ("nat ", "no nat ", "nat-anchor ", "scrub ", "no scrub ")


def tokenize(line, macros):
    """The tokens of a line, with the macros of rules.debug filled in. Work is bounded by MAX_LINE and MAX_TOKENS."""
    tokens = TOKEN.findall(line)
    for _ in range(3 if macros else 0):  # a macro may name another
        if not any(each[0] == "$" and each[1:] in macros for each in tokens):
            break
        filled = []
        for each in tokens:
            filled += macros.get(each[1:], [each]) if each[0] == "$" else [each]
            if len(filled) > MAX_TOKENS:
                break
        tokens = filled
    return tokens[:MAX_TOKENS]


class Reader:
    """Reads the lines of one text. The filter rules of a firewall mostly differ in hosts, ports and trackers: a line is read
    once with zeros in their place, and every line that is the same then gives a copy with its own values."""

    def __init__(self, interfaces):
        self.interfaces = interfaces
        self.macros = {}
        self.shapes = {}

    def define(self, name, text):
        self.macros[name] = TOKEN.findall(text)
        self.shapes.clear()

    def read(self, line, number):
        numbered = NUMBERED.match(line)
        if numbered:
            line = line[numbered.end() :]
            number = int(numbered.group(1))
        labels = LABEL.findall(line) if "label" in line else ()
        if labels:
            line = LABEL.sub("", line)
        rule = self.read_alike(line, number) or self.parse(line, number)
        rule.labels = tuple(labels) or rule.labels
        if numbered and numbered.group(2):
            rule.tracker = int(numbered.group(2))
        return rule

    def read_alike(self, line, number):
        """The rule by another one that is alike, or None."""
        words = line.split()
        if not words or words[0] not in ("pass", "block", "match"):
            return None
        values = hide_values(words)
        shape = " ".join(words)
        if shape not in self.shapes:
            self.shapes[shape] = self.parse(shape, number)
        known = self.shapes[shape]
        is_alike = all(getattr(known, name) == HIDDEN[name] for name in values)
        return known.copy(number, values) if is_alike else None

    def parse(self, line, number):
        rule = Rule(number)
        if len(line) > MAX_LINE:
            rule.flags, rule.quick, rule.doubt = None, True, "is too long to be read"
        else:
            Parser(tokenize(line, self.macros), rule, self.interfaces).parse()
        return rule


def hide_values(words):
    """Puts zeros in place of hosts, ports and tracker among the words, and returns what a rule gets from these instead."""
    values = {}
    for word, side, ports in (("from", "source", "source_ports"), ("to", "destination", "ports")):
        at = words.index(word) + 1 if word in words else len(words)
        if at < len(words) and IPV4.match(words[at]):
            address = read_address(words[at])
            if address is not None:
                values[side] = {4: ((address[1], address[1]),), 6: ()}
                words[at] = "0.0.0.0"
        if words[at + 1 : at + 3] == ["port", "="] and is_number(words, at + 3, 65535):
            port = int(words[at + 3])
            values[ports] = ((port, port),)
            words[at + 3] = "0"
    at = words.index("ridentifier") + 1 if "ridentifier" in words else len(words)
    if is_number(words, at, 2**32 - 1):
        values["tracker"] = int(words[at])
        words[at] = "0"
    return values


def is_number(words, at, highest):
    return at < len(words) and words[at].isdecimal() and len(words[at]) <= 10 and int(words[at]) <= highest


def is_rule(line):
    return NOT_A_RULE.match(line) is None


def read_rules(text, interfaces):
    """(all rules of a text in order, whether the text was read to its end)"""
    lines = text.split("\n", MAX_LINES)  # not splitlines: a label may hold what Unicode calls a line separator
    reader, rules, depth = Reader(interfaces), [], 0
    for line in lines[:MAX_LINES]:
        if depth:  # inside an anchor that holds rules of its own
            depth += line.rstrip().endswith("{") - (line.strip() == "}")
            continue
        if not is_rule(line):
            continue
        macro = MACRO.match(line) if line[0] != "@" and len(line) <= MAX_LINE else None
        if macro:
            reader.define(*macro.groups())
            continue
        bare = NUMBERED.sub("", line[:200]).lstrip()
        if bare.startswith(NOT_INCOMING):
            continue
        depth = int(bare.startswith("anchor") and line.rstrip().endswith("{"))
        rules.append(reader.read(line, len(rules)))
    return rules, len(lines) <= MAX_LINES
