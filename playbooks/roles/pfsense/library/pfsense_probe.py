#!/usr/bin/python
"""Compares pfSense's configuration and pf with a batch of flows, and changes nothing."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_probe
short_description: Reports what a batch of flows would change on a pfSense firewall
description:
  - Reads config.xml as strictly as pfSense does, and asks pf for the rules it has loaded and whether it is enabled.
    Changes nothing. A disabled pf is a failure.
  - An action plugin of the same name checks the flows on the controller first, and never templates them.
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
  present:
    description: Flows that should be blocked.
    type: list
    elements: dict
    default: []
  absent:
    description: Flows that should have no rule on the firewall.
    type: list
    elements: dict
    default: []
  rule_place:
    description: >-
      Where new rules go, among the rules of their interface or among the floating rules. With C(auto) among the floating
      rules if another rule would pass the packets first, and a floating rule would stop them.
    type: str
    choices: [interface, floating, auto]
    default: interface
  fix:
    description: Whether to rewrite or remove rules that were changed by hand or that an earlier release wrote differently.
    type: bool
    default: false
  check:
    description: >-
      The program that checks the edit (files/check_config.py). With it, a dry run fails if the edit would fail.
    type: str
    default: ""
  php:
    description: Path of php on the firewall, for that program.
    type: str
    default: ""
author: Firebreak
"""

EXAMPLES = """
- name: Compare the configuration and pf with the batch
  pfsense_probe:
    config: /cf/conf/config.xml
    pfctl: /sbin/pfctl
    ifconfig: /sbin/ifconfig
"""

RETURN = """
missing:
  description: Trackers of flows that have no rule yet.
  returned: success
  type: list
  elements: int
correct:
  description: Trackers of flows whose rule is in the configuration as it should be.
  returned: success
  type: list
  elements: int
changed_by_hand:
  description: Trackers whose rule is in the configuration, but blocks something else.
  returned: success
  type: list
  elements: int
rewrite:
  description: Those of C(missing) whose changed rule is removed first.
  returned: success
  type: list
  elements: int
floating:
  description: Those of C(missing) that go among the floating rules.
  returned: success
  type: list
  elements: int
stale:
  description: >-
    Trackers of rules that should be absent and are in the configuration. A rule that was disabled or narrowed by hand
    still belongs to its flow. A rule that was made to block something else does not, and is in C(changed_by_hand).
  returned: success
  type: list
  elements: int
uniform:
  description: Whether each rule of C(stale) and C(rewrite) is laid out just as this role writes it.
  returned: success
  type: bool
loaded:
  description: Those of all trackers of the batch that pf blocks now.
  returned: success
  type: list
  elements: int
cards:
  description: For each interface of a flow its key as C(interface), and C(card), its real name.
  returned: success
  type: list
  elements: dict
proof:
  description: >-
    For each of C(correct) that pf lists, what C(pfsense_load) says in C(proof). Empty if the rules have to be loaded first,
    and in check mode.
  returned: success
  type: list
  elements: dict
refused:
  description: Flows that pfSense would silently not block, each with C(tracker), C(code) and C(message).
  returned: success
  type: list
  elements: dict
place:
  description: How lineinfile inserts new rules.
  returned: success
  type: dict
followed:
  description: >-
    Flows whose destination is the public side of a port forward or of 1:1 NAT, each with C(tracker) and the C(destination)
    and C(port) behind it, which their rule blocks.
  returned: success
  type: list
  elements: dict
unreached:
  description: >-
    Trackers of flows whose packets do not meet their rule, as far as the configuration tells, each with C(tracker) and
    C(message).
  returned: success
  type: list
  elements: dict
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
version:
  description: Version of the configuration.
  returned: success
  type: str
python:
  description: Path of the Python that runs this module.
  returned: success
  type: str
"""

import os
import sys

from ansible.module_utils.pfsense_config import (
    blocks_flow,
    find_card,
    find_place,
    is_about_flow,
    is_as_written,
    list_interfaces,
    parse_config,
    read_config,
)
from ansible.module_utils.pfsense_forwards import Forwards
from ansible.module_utils.pfsense_paths import Paths
from ansible.module_utils.pfsense_place import list_misplaced
from ansible.module_utils.pfsense_rehearsal import rehearse_edit
from ansible_collections.firebreak.core.plugins.module_utils.addresses import find_addresses, read_nics
from ansible_collections.firebreak.core.plugins.module_utils.pf import list_enforced_rules, parse_blocking_trackers
from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import prove_flows
from ansible_collections.firebreak.core.plugins.module_utils.refusal import Refusal


def classify_present(config, flows, followed, arguments):
    """Which flows are missing, correct, changed by hand, or refused on this firewall."""
    fix, place = arguments["fix"], arguments["rule_place"]
    found = {"missing": [], "correct": [], "changed_by_hand": [], "rewrite": [], "refused": []}
    for flow in flows:
        tracker = flow["tracker"]
        rules = config.rules.get(tracker, [])
        inside = followed.get(tracker, flow)
        refusal = refuse_interface(config, flow["interface"])
        if refusal is not None:
            found["refused"].append(dict(refusal, tracker=tracker))
        elif rules and all(blocks_flow(rule, inside) and (is_as_written(rule, place) or not fix) for rule in rules):
            found["correct"].append(tracker)
        elif rules and not fix and not (tracker in followed and all(blocks_flow(rule, flow) for rule in rules)):
            found["changed_by_hand"].append(tracker)
        else:
            found["missing"].append(tracker)
            if rules:
                found["rewrite"].append(tracker)
    return found


def classify_absent(config, flows, followed, fix):
    """Which flows have a rule to remove, and which rules no longer belong to their flow."""
    stale, changed = [], []
    for flow in flows:
        rules = config.rules.get(flow["tracker"], [])
        if rules:
            inside = followed.get(flow["tracker"], flow)
            is_still_ours = fix or all(is_about_flow(rule, flow) or is_about_flow(rule, inside) for rule in rules)
            (stale if is_still_ours else changed).append(flow["tracker"])
    return stale, changed


def refuse_interface(config, name):
    """pfSense silently turns a rule on such an interface into a comment."""
    if config.interfaces.get(name):
        return None
    enabled = ", ".join(sorted(key for key, is_enabled in config.interfaces.items() if is_enabled)) or "none"
    if name in config.interfaces:
        return {"code": "interface_disabled", "message": "interface %s is disabled; enabled are: %s" % (name, enabled)}
    return {"code": "interface_unknown", "message": "interface %s does not exist; enabled are: %s" % (name, enabled)}


def find_followed(forwards, flows):
    """The flows that are translated before pf filters, by tracker, as they are behind the translation."""
    found = [(flow["tracker"], forwards.follow(flow)) for flow in flows]
    return dict(each for each in found if each[1])


def find_unreached(paths, forwards, flows):
    """The flows whose packets do not meet a rule for them, each with the reason."""
    found = []
    for flow in flows:
        message = forwards.find_problem(flow) or paths.find_problem(forwards.follow(flow) or flow)
        if message:
            found.append({"tracker": flow["tracker"], "message": message})
    return found


def list_loaded_rules(pfctl, check_mode):
    """What pf lists, or None if the login of a dry run can read the file and not query pf."""
    try:
        return list_enforced_rules(pfctl)
    except Refusal as refusal:
        if not check_mode or refusal.code == "pf_disabled":
            raise
        return None


def place_rules(arguments, config, result, rules):
    """The missing rules that go among the floating ones. A rule that stands elsewhere and could not decide is missing."""
    place = arguments["rule_place"]
    if place == "interface":
        return []
    floating = set(each for each, found in config.rules.items() if any("floating" in rule for rule in found))
    asked = set(result["missing"] + result["correct"]) - floating
    flows = add_cards(config, [flow for flow in arguments["present"] if flow["tracker"] in asked])
    misplaced = list_misplaced(config, flows, arguments, rules)
    moved = [tracker for tracker in result["correct"] if tracker in misplaced]
    result["correct"] = [tracker for tracker in result["correct"] if tracker not in misplaced]
    result["rewrite"] += moved
    result["missing"] += moved
    # A rule that is written anew stays where it is: pf does not show whether it would be needed there without it.
    return [each for each in result["missing"] if place == "floating" or each in misplaced or each in floating]


def add_cards(config, flows):
    cards = dict((key, find_card(config, key)) for key in set(flow["interface"] for flow in flows))
    return [dict(flow, card=cards[flow["interface"]]) for flow in flows]


def prove_standing(arguments, config, result, rules):
    """What the proof is worth, if nothing has to be loaded: a load proves the rules again."""
    correct, loaded = set(result["correct"]), set(result["loaded"])
    lingering = set(flow["tracker"] for flow in arguments["absent"]) & loaded - set(result["changed_by_hand"])
    if result["missing"] or result["stale"] or lingering or not correct <= loaded:
        return []
    flows = add_cards(config, [flow for flow in arguments["present"] if flow["tracker"] in correct])
    return prove_flows(arguments["pfctl"], arguments["ifconfig"], rules, flows)


def probe(arguments, check_mode=False):
    config_path, pfctl, fix = arguments["config"], arguments["pfctl"], arguments["fix"]
    present, absent = arguments["present"], arguments["absent"]
    config = parse_config(read_config(config_path), config_path, set(flow["tracker"] for flow in present + absent))
    nics = read_nics(arguments["ifconfig"])
    paths = Paths(config, nics)
    forwards = Forwards(config, paths)
    followed = find_followed(forwards, present + absent)
    result = classify_present(config, present, followed, arguments)
    result["stale"], changed = classify_absent(config, absent, followed, fix)
    result["changed_by_hand"] += changed
    rules = list_loaded_rules(pfctl, check_mode)
    blocking = config.rules if rules is None else parse_blocking_trackers(rules)
    result["floating"] = place_rules(arguments, config, result, rules)
    result["uniform"] = config.uniform.issuperset(result["stale"] + result["rewrite"])
    result["loaded"] = [flow["tracker"] for flow in present + absent if flow["tracker"] in blocking]
    interfaces = sorted(set(flow["interface"] for flow in present))
    result["cards"] = [{"interface": key, "card": find_card(config, key)} for key in interfaces]
    result["proof"] = [] if check_mode else prove_standing(arguments, config, result, rules)
    result["place"] = find_place(config) if result["missing"] else {}
    refused = set(each["tracker"] for each in result["refused"])
    standing = [flow for flow in present if flow["tracker"] not in refused]
    result["unreached"] = find_unreached(paths, forwards, standing)
    ends = [(flow["tracker"], followed[flow["tracker"]]) for flow in present if flow["tracker"] in followed]
    result["followed"] = [
        {"tracker": tracker, "destination": inside["destination"], "port": inside["port"]} for tracker, inside in ends
    ]
    result["networks"] = paths.list_networks()
    result["interfaces"] = list_interfaces(config)
    result["addresses"] = find_addresses(config.addresses, nics)
    result["version"] = config.version
    result["python"] = sys.executable
    if check_mode and arguments["check"]:
        rehearse_edit(arguments, result["stale"] + result["rewrite"], result["missing"])
    will_edit = not check_mode and (result["missing"] or result["stale"])
    if will_edit and not os.access(config_path, os.W_OK):
        raise Refusal("config_unwritable", "%s may not be written by this user" % config_path)
    return result


def run(arguments, check_mode, diff):
    try:
        found = probe(arguments, check_mode)
    except Refusal as refusal:
        return refusal.result()
    return dict(found, changed=False)
