"""Decides N times on texts with broken lines: broken.py N SEED. Ends with an error where a decision raises one, or where a
line is read in another way if it resembles one before it.

Prints the levels with how often each came, as JSON.
"""

import collections
import json
import os
import random
import sys

from table import ANY, GROUPS, IFCONFIG, NET, NET6, OURS, PING6, SSH, TABLES, answer

from ansible_collections.firebreak.core.plugins.module_utils.pf_interfaces import Interfaces
from ansible_collections.firebreak.core.plugins.module_utils.pf_rules import Reader

HERE = os.path.dirname(os.path.abspath(__file__))
FLOWS = [SSH, ANY, PING6, NET, dict(ANY, interface=None), dict(NET6, protocol="any", port="", interface=None), {}, {"source": "x", "port": "1:x"}]
WORDS = [
    "in", "out", "quick", "inet", "inet6", "all", "log", "on", "proto", "from", "to", "flags", "icmp-type", "icmp6-type", "keep", "state", "no", "label",
    "ridentifier", "->", "reply-to", "route-to", "tag", "set", "queue", "tagged", "user", "prio", "probability", "divert-to", "port", "os", "code", "any",
    "{", "}", "(", ")", "!", "<", ">", "<x>", "<x:0>", '"', '"a b"', "=", "><", "<>", "-", "/", "em0", "203.0.113.7", "203.0.113.0/24", "::1", "::/0", "1:2",
    "0", "99999999999", "\u00b2", "\u0663", "\ud800", "\0", "block", "pass", "rdr", "nat", "anchor", "$A", "@5", "fe80::1%em0", "(self:3)", "tcp", "icmp",
]  # fmt: skip


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read().split("\n")


def breaks(chance, line):
    words = line.split(" ")
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(words) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            words.insert(place, chance.choice(WORDS))
        elif kind == 1:
            words[place : place + 1] = [chance.choice(WORDS)]
        elif kind == 2:
            del words[place : place + chance.choice([1, 1, 99])]
        else:
            words = [chance.choice(WORDS) for _ in range(chance.randrange(20))]
    return " ".join(words)


class Single(Reader):
    """Reads every line as if no other one were like it."""

    def read_alike(self, line, number):
        return None


def compare(text, interfaces):
    quick, single = Reader(interfaces), Single(interfaces)
    for line in text.split("\n"):
        assert vars(quick.read(line, 1)) == vars(single.read(line, 1)), line


def main():
    count, chance = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    rules, translations, levels = read("office.txt"), read("office-nat.txt"), collections.Counter()

    def some(lines, share):
        return "\n".join(breaks(chance, line) if chance.random() < share else line for line in lines) + "\n"

    for _ in range(count):
        interfaces = chance.choice([IFCONFIG, "", GROUPS, some(IFCONFIG.split("\n"), 0.5)])
        texts = {"nat": some(translations, chance.choice([0, 0.4])), "interfaces": interfaces, "tables": TABLES, "raw": True}
        text = some(rules, chance.choice([0.02, 0.3])) + OURS
        compare(text, Interfaces(interfaces))
        found = answer(text, chance.choice(FLOWS), **texts)
        assert len(found.reason) <= 300 and (found.reason == "") == (found.level == "decides"), found
        levels[found.level] += 1
    print(json.dumps(levels))


main()
