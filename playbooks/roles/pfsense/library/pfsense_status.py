#!/usr/bin/python
"""Reads Firebreak's rules from pfSense's configuration and from pf, and changes nothing."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_status
short_description: Reads which of Firebreak's rules are on a pfSense firewall
description:
  - Reads the rules of config.xml whose tracker is in Firebreak's range, and which of them pf has loaded. Nothing else of
    the file leaves the firewall. A disabled pf is a failure.
  - An action plugin of the same name classifies the rules on the controller, which can compute their trackers.
options:
  config:
    description: Path of config.xml on the firewall.
    required: true
    type: str
  pfctl:
    description: Path of pfctl on the firewall.
    required: true
    type: str
  ifconfig:
    description: Path of ifconfig on the firewall. Without it, only the configured addresses are known.
    required: true
    type: str
  rule_place:
    description: Where new rules go, as in C(pfsense_probe).
    type: str
    choices: [interface, floating, auto]
    default: interface
  check:
    description: >-
      The program that checks the edit (files/check_config.py). With it, the result tells in C(edit_error) whether adding a rule would fail.
    type: str
    default: ""
  php:
    description: Path of php on the firewall, for that program.
    type: str
    default: ""
author: Firebreak
"""

EXAMPLES = """
- name: Read Firebreak's rules from the configuration and pf
  pfsense_status:
    config: /cf/conf/config.xml
    pfctl: /sbin/pfctl
    ifconfig: /sbin/ifconfig
"""

RETURN = """
standing:
  description: >-
    The rules of the configuration, each with C(tracker), the fields of its flow, C(description), C(changed) (by hand),
    C(why) (how it was changed), C(proven) (whether pf lists it), and for a proven one C(proof) and C(proof_message), which
    are the C(level) and the C(message) of C(pfsense_load), and C(packets), how many it has stopped since pf loaded it. One
    that a run would move to the floating rules has C(misplaced).
  returned: success
  type: list
  elements: dict
only_in_pf:
  description: Trackers that pf still blocks and the configuration no longer has.
  returned: success
  type: list
  elements: int
networks:
  description: The networks behind the interfaces, each with C(interface) and C(network).
  returned: success
  type: list
  elements: dict
addresses:
  description: The firewall's own addresses without loopback and link-local.
  returned: success
  type: list
  elements: str
interfaces:
  description: The enabled interfaces, each with C(key) and C(description), its name in the GUI.
  returned: success
  type: list
  elements: dict
edit_error:
  description: Why a rule could not be added to the configuration now, as C(code) and C(message), or empty.
  returned: success
  type: dict
lines:
  description: The rules as text, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.pfsense_config import (
    find_card,
    find_narrowing,
    find_other_end,
    list_interfaces,
    parse_config,
    read_config,
    read_flow,
)
from ansible.module_utils.pfsense_forwards import Forwards
from ansible.module_utils.pfsense_paths import Paths
from ansible.module_utils.pfsense_place import list_misplaced
from ansible.module_utils.pfsense_rehearsal import rehearse_edit
from ansible_collections.firebreak.core.plugins.module_utils.addresses import find_addresses, read_nics
from ansible_collections.firebreak.core.plugins.module_utils.pf import (
    count_packets,
    list_enforced_rules,
    parse_blocking_trackers,
)
from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import prove_flows
from ansible_collections.firebreak.core.plugins.module_utils.refusal import Refusal

# Firebreak's trackers: above every one that pfSense derives from its clock until 2033, and below 2^31.
BAND_START = 2000000000
BAND_END = 2147483648


def is_ours(tracker):
    return BAND_START <= tracker < BAND_END


def read_own_rules(config, paths):
    forwards = Forwards(config, paths)
    rules = []
    for tracker, found in config.rules.items():
        if is_ours(tracker):
            rules += [
                {
                    "tracker": tracker,
                    "flow": read_flow(rule),
                    "description": rule.get("descr", ""),
                    "changed_by": find_other_end(rule) or find_narrowing(rule),
                    "publics": forwards.list_publics(dict(read_flow(rule), tracker=tracker)),
                    "unreached": forwards.find_problem(read_flow(rule)) or paths.find_problem(read_flow(rule)),
                }
                for rule in found
            ]
    return rules


def prove_own_rules(arguments, config, rules, listed, loaded):
    """What pf decides for each rule that is as Firebreak would write it and that pf lists, and which of them to move."""
    flows = {}
    for rule in rules:
        if rule["changed_by"] is None and rule["tracker"] in loaded:
            card = find_card(config, rule["flow"]["interface"])
            flows[rule["tracker"]] = dict(rule["flow"], tracker=rule["tracker"], card=card)
    proof = prove_flows(arguments["pfctl"], arguments["ifconfig"], listed, list(flows.values()))
    shadowed = [flows[each["tracker"]] for each in proof if each["level"] == "shadowed"]
    if arguments["rule_place"] == "interface":
        return proof, []
    movable = [flow for flow in shadowed if not any("floating" in rule for rule in config.rules[flow["tracker"]])]
    return proof, sorted(list_misplaced(config, movable, arguments, listed))


def count_own_packets(listed):
    """Those rules of ours that have stopped packets."""
    counted = sorted(count_packets(listed).items())
    return [{"tracker": tracker, "packets": many} for tracker, many in counted if is_ours(tracker) and many > 0]


def find_edit_error(arguments, config):
    """Why the check of an edit would refuse one more rule of ours, or {}."""
    if not arguments["check"]:
        return {}
    free = next(tracker for tracker in range(BAND_START, BAND_END) if tracker not in config.rules)
    try:
        rehearse_edit(arguments, [], [free])
    except Refusal as refusal:
        return {"code": refusal.code, "message": refusal.message}
    return {}


def run(arguments, check_mode, diff):
    path = arguments["config"]
    try:
        config = parse_config(read_config(path), path)
        nics = read_nics(arguments["ifconfig"])
        paths = Paths(config, nics)
        rules = read_own_rules(config, paths)
        listed = list_enforced_rules(arguments["pfctl"])
        loaded = sorted(filter(is_ours, parse_blocking_trackers(listed)))
    except Refusal as refusal:
        return refusal.result()
    proof, misplaced = prove_own_rules(arguments, config, rules, listed, set(loaded))
    return {
        "changed": False,
        "rules": rules,
        "loaded": loaded,
        "packets": count_own_packets(listed),
        "proof": proof,
        "misplaced": misplaced,
        "addresses": find_addresses(config.addresses, nics),
        "networks": paths.list_networks(),
        "interfaces": list_interfaces(config),
        "edit_error": find_edit_error(arguments, config),
    }
