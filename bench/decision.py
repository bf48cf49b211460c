"""Measures the decision on what pf has loaded, and prints its seconds as JSON: decision.py ROUNDS."""

import json
import os
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "playbooks", "collections"))
from ansible_collections.firebreak.core.plugins.module_utils import pf_decision, pf_names, pf_rule_set  # noqa: E402

COUNTERS = """
  [ Evaluations: 12        Packets: 0         Bytes: 0           States: 0     ]
  [ Inserted: uid 0 pid 0 State Creations: 0     ]
  [ Last Active Time: N/A ]
"""
DENY = 'block drop in log inet all label "Default deny rule IPv4" ridentifier 1000000103'
USERS = (
    "pass in quick on em0 reply-to (em0 198.51.100.1) inet proto tcp from any to 192.168.%d.%d port = %d flags S/SA keep state "
    'label "USER_RULE: NAT %d" label "id:17%08d" ridentifier 17%08d'
)
OURS = (
    "block drop in quick on em0 inet proto tcp from %s to 192.168.1.10 port = ssh flags any "
    'label "USER_RULE: Firebreak" label "id:%d" ridentifier %d'
)
MONITORING = 'pass in quick inet proto tcp from any to any port = ssh flags S/SA keep state label "USER_RULE: M" ridentifier 1718000001'
FORWARD = "rdr on em0 inet proto tcp from any to 198.51.100.2 port = %d -> 192.168.1.%d port 22"
IFCONFIG = "".join("em%d: flags=8843\n\tinet 192.0.2.%d netmask 0xffffffff\n\tgroups: INSIDE\n" % (each, each) for each in range(4))


def source(number):
    return "203.0.%d.%d" % (113 + number // 250, 1 + number % 250)


def make(count, blocks, ahead=()):
    """The texts of `count` rules and those ahead of them, of which `blocks` are ours and the last, and of 20 forwards."""
    rules = [DENY] + list(ahead)
    for each in range(count - blocks - 1):
        rules.append(USERS % (2 + each // 250, 1 + each % 250, 1024 + each, each, each, each))
    for each in range(blocks):
        rules.append(OURS % (source(each), 2000000000 + each, 2000000000 + each))
    text = "".join("@%d %s%s" % (number, rule, COUNTERS) for number, rule in enumerate(rules))
    return text, "\n".join(FORWARD % (2200 + each, 20 + each) for each in range(20))


def make_flow(number):
    return {
        "source": source(number), "destination": "192.168.1.10", "port": "22", "protocol": "tcp", "ipprotocol": "inet", "interface": "em0",
    }  # fmt: skip


def decide(rule_set, number):
    decision = pf_decision.decide(rule_set, make_flow(number), 2000000000 + number)
    assert decision.level == "decides", decision


def place(rule_set, number):
    """As for pfsense_place: auto, where the first rule of an administrator's is a floating one that passes the flow."""
    for position, level in ((2, "shadowed"), (1, "decides")):
        decision = pf_decision.decide(rule_set.cut(position), make_flow(number), pf_rule_set.CUT)
        assert decision.level == level, decision


def measure(texts, blocks, flows, each=decide):
    for cached in (pf_names.read_network, pf_names.read_flags, pf_names.look_up):
        cached.cache_clear()  # on a firewall, each run begins anew
    began = time.perf_counter(), time.process_time()
    rule_set = pf_decision.read_rule_set(texts[0], texts[1], IFCONFIG, lambda name, address: None)
    for number in range(flows):
        each(rule_set, number % blocks)
    return {"seconds": time.perf_counter() - began[0], "processor": time.process_time() - began[1]}


def main():
    rounds = range(int(sys.argv[1]))
    one, many, passed = make(500, 100), make(1000, 800), make(1000, 800, [MONITORING])
    print(json.dumps({
        "one flow, 500 rules": [measure(one, 100, 1) for _ in rounds],
        "1,000 flows, 1,000 rules": [measure(many, 800, 1000) for _ in rounds],
        "the place of 1,000 flows": [measure(passed, 800, 1000, place) for _ in rounds],
    }))  # fmt: skip


if __name__ == "__main__":
    main()
