"""Says for each blocked flow whether pf drops its packets, or which rule passes them first. Python 3.6 and up.

A block rule that pf lists need not be the one that decides. Whoever asks hands in the rules that pf lists; the translations,
the interfaces and the tables are read here. Nothing here fails a run: what cannot be read makes a flow `listed`.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import socket
import time

from ansible_collections.firebreak.core.plugins.module_utils.pf_decision import decide, has_rules, read_rule_set
from ansible_collections.firebreak.core.plugins.module_utils.pf_focus import leave_out_other_sources
from ansible_collections.firebreak.core.plugins.module_utils.pf_rule_set import CUT
from ansible_collections.firebreak.core.plugins.module_utils.programs import run_bounded

# For all flows of a run together.
MAX_SECONDS = 15
# Addresses that one call of pfctl looks up in a table, and calls altogether.
MAX_LOOKED_UP = 500
MAX_LOOKUPS = 200
MAX_MESSAGE = 300

# A flow on one line, as tasks hand it on: Ansible visits every value of a structure. The port may be missing.
FIELDS = ("tracker", "interface", "card", "ipprotocol", "protocol", "source", "destination", "port")

LEVELS = ("decides", "listed", "shadowed")  # from the best to the worst


def write_flow(flow, card):
    """The flow on one line; the card is the real name of its interface."""
    return " ".join(str(value) for value in (dict(flow, card=card)[field] for field in FIELDS)).strip()


def read_flow(line):
    flow = dict(zip(FIELDS, line.split(" ")))
    return dict({"port": ""}, **dict(flow, tracker=int(flow["tracker"])))


def prove_flows(pfctl, ifconfig, rules, flows):
    """[{tracker, level, message}] of these flows, whose `card` is the real name of an interface, or the name of a group.

    rules: what `pfctl -vvsr` lists now.
    """
    try:
        return Loaded(pfctl, ifconfig, rules, flows).prove(flows) if flows else []
    except Exception as error:  # of any kind: the rules are in force by now, and a run that fails would remove them
        return [tell(flow, "listed", "the decision failed (%s)" % type(error).__name__) for flow in flows]


class Loaded:
    """What pf has loaded, as far as these flows can meet it, for all decisions about them together.

    are_new: whether the flows may have no rule yet.
    """

    def __init__(self, pfctl, ifconfig, rules, flows, are_new=False):
        self.deadline = time.time() + MAX_SECONDS
        self.rule_set, self.rules = None, []
        translations = ask(pfctl, "-sn")
        if translations is None:
            return
        interfaces = (ask(ifconfig) or "") + "\n" + (ask(pfctl, "-sI", "-v") or "")
        hosts = [flow[side] for flow in flows for side in ("source", "destination")]
        is_in_table = Tables(pfctl, hosts, self.deadline).has
        others = (translations, interfaces, is_in_table, lambda kind, name: is_empty(pfctl, kind, name))
        self.rule_set = read_rule_set(leave_out_other_sources(rules, [flow["source"] for flow in flows]), *others)
        # A flow whose rule is for another source needs all of it.
        if not are_new and not all(flow["tracker"] in self.rule_set.first_of for flow in flows):
            self.rule_set = read_rule_set(rules, *others)
        self.rules = self.rule_set.rules
        self.groups = members_of_groups(interfaces)

    def prove(self, flows):
        if self.rule_set is None:
            return [tell(flow, "listed", "pfctl -sn does not list the translations") for flow in flows]
        return [tell(flow, *self.find_worst(self.rule_set, flow, flow["tracker"])) for flow in flows]

    def level_at(self, position, flow):
        """The level that a block rule of the flow would have at this position of the rules."""
        return self.find_worst(self.rule_set.cut(position), flow, CUT)[0]

    def find_worst(self, rule_set, flow, tracker):
        """(level, message): a flow of a group enters by any of its members, and the worst of the answers counts."""
        if time.time() > self.deadline:
            return "listed", "there was no time left to decide it"
        worst = ("decides", "")
        for interface in self.groups.get(flow["card"]) or [flow["card"]]:
            decision = decide(rule_set, dict(flow, interface=interface), tracker)
            if LEVELS.index(decision.level) > LEVELS.index(worst[0]):
                worst = (decision.level, decision.reason)
        return worst


def is_empty(pfctl, kind, anchor):
    """Whether an anchor of this kind has no rules now; None if pf does not say."""
    listed = ask(pfctl, "-a", anchor, "-sr" if kind == "anchor" else "-sn")
    return None if listed is None else not has_rules(listed)


def tell(flow, level, message):
    return {"tracker": flow["tracker"], "level": level, "message": message[:MAX_MESSAGE]}


def ask(program, *options):
    """What a program prints, or None if it fails."""
    try:
        ended = run_bounded((program,) + options, 5)
    except OSError:
        return None
    return ended.output if ended.status == 0 else None


def members_of_groups(ifconfig):
    """{group: the interfaces in it}, by ifconfig's lines `groups: `."""
    groups, name = {}, None
    for line in ifconfig.splitlines():
        words = line.split()
        if line[:1] not in ("", " ", "\t"):
            name = words[0].rstrip(":")
        elif words and words[0] == "groups:" and name:
            for group in words[1:]:
                groups.setdefault(group, []).append(name)
    return groups


class Tables:
    """Which addresses are in pf's tables. The first question about a table looks all addresses of the run up in it."""

    def __init__(self, pfctl, hosts, deadline):
        self.pfctl = pfctl
        self.deadline = deadline
        self.hosts = list(dict.fromkeys(host for host in hosts if "/" not in host))
        self.lookups = MAX_LOOKUPS
        self.known = {}  # table -> {packed address: whether it is in the table}

    def has(self, name, address):
        """True, False, or None if pf does not say."""
        key = pack(address)
        known = self.known.setdefault(name, {})
        if not known:
            for start in range(0, len(self.hosts), MAX_LOOKED_UP):
                self.look_up(name, self.hosts[start : start + MAX_LOOKED_UP])
        if key not in known:
            self.look_up(name, [address])
        return known.get(key)

    def look_up(self, name, addresses):
        # pfctl takes a word that begins with "-" for an option.
        if self.lookups <= 0 or time.time() > self.deadline or name.startswith("-"):
            return
        self.lookups -= 1
        known = self.known[name]
        try:
            ended = run_bounded([self.pfctl, "-t", name, "-v", "-T", "test"] + addresses, 5)
        except OSError:
            return
        # 0: all of them are in the table. 2: not all; -v shows those that are.
        if ended.status not in (0, 2):
            return
        inside = set(pack(line.split()[-1]) for line in ended.output.splitlines() if line.strip())
        for address in addresses:
            key = pack(address)
            known[key] = ended.status == 0 or key in inside


def pack(host):
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return None
