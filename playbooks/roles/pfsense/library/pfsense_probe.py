#!/usr/bin/python
"""Looks at pfSense's configuration and at pf, and changes nothing."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_probe
short_description: Says what a batch of flows would change on a pfSense firewall
description:
  - Reads config.xml as strictly as pfSense does, and asks pf for the rules it has loaded. Changes nothing.
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
    description: Path of ifconfig on the firewall. Where there is none, only written down addresses are known.
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
  fix:
    description: Whether rules that were changed by hand are to be written anew, or taken out.
    type: bool
    default: false
author: Firebreak
"""

EXAMPLES = """
- name: Look at what stands on the firewall
  pfsense_probe:
    config: /cf/conf/config.xml
    pfctl: /sbin/pfctl
    ifconfig: /sbin/ifconfig
"""

RETURN = """
missing:
  description: Trackers of flows that have no rule yet.
right:
  description: Trackers of flows whose rule stands as it should.
changed_by_hand:
  description: Trackers whose rule stands, but says something else.
rewrite:
  description: Those of the missing whose changed rule is to be taken out first.
unwanted:
  description: >-
    Trackers of rules that should not stand, and do. A rule that somebody disabled or narrowed is still the flow's; one
    that was made to say something else is that person's rule by now, and is among C(changed_by_hand).
loaded:
  description: Those of all trackers of the batch that pf blocks by now.
refused:
  description: Flows that pfSense would silently not block, each with tracker, code and message.
place:
  description: How lineinfile is to insert new rules.
addresses:
  description: The firewall's own addresses, none of them loopback or link-local.
version:
  description: Version of the configuration.
python:
  description: The Python that runs this module.
"""

import os
import sys

from ansible.module_utils.pfsense_config import (
    Refusal,
    find_place,
    names_its_flow,
    parse_config,
    read_config,
    says_what_it_should,
)
from ansible.module_utils.pfsense_pf import find_addresses, read_blocking_trackers


def sort_present(config, flows, fix):
    """Which flows are missing, right, changed by hand, or not possible on this firewall."""
    found = {"missing": [], "right": [], "changed_by_hand": [], "rewrite": [], "refused": []}
    for flow in flows:
        tracker = flow["tracker"]
        rules = config.rules.get(tracker, [])
        refusal = refuse_interface(config, flow["interface"])
        if refusal is not None:
            found["refused"].append(dict(refusal, tracker=tracker))
        elif rules and all(says_what_it_should(rule, flow) for rule in rules):
            found["right"].append(tracker)
        elif rules and not fix:
            found["changed_by_hand"].append(tracker)
        else:
            found["missing"].append(tracker)
            if rules:
                found["rewrite"].append(tracker)
    return found


def sort_absent(config, flows, fix):
    """Which flows have a rule to take out, and which rules became somebody else's."""
    unwanted, changed = [], []
    for flow in flows:
        rules = config.rules.get(flow["tracker"], [])
        if rules:
            still_its = fix or all(names_its_flow(rule, flow) for rule in rules)
            (unwanted if still_its else changed).append(flow["tracker"])
    return unwanted, changed


def refuse_interface(config, name):
    """pfSense turns a rule on such an interface into a comment, and says nothing."""
    if config.interfaces.get(name):
        return None
    enabled = ", ".join(sorted(key for key, is_enabled in config.interfaces.items() if is_enabled)) or "none"
    if name in config.interfaces:
        return {"code": "interface_disabled", "message": "interface %s is disabled; enabled are: %s" % (name, enabled)}
    return {"code": "interface_unknown", "message": "there is no interface %s; there are: %s" % (name, enabled)}


def find_loaded(pfctl, config, trackers, check_mode):
    """Which of these pf blocks by now. A dry run may be a login that can read the file, and may not ask pf."""
    try:
        blocking = read_blocking_trackers(pfctl)
    except Refusal:
        if not check_mode:
            raise
        blocking = config.rules
    return [tracker for tracker in trackers if tracker in blocking]


def probe(arguments, check_mode=False):
    config_path, pfctl, fix = arguments["config"], arguments["pfctl"], arguments["fix"]
    present, absent = arguments["present"], arguments["absent"]
    data = read_config(config_path)
    config = parse_config(data, config_path)
    result = sort_present(config, present, fix)
    result["unwanted"], changed = sort_absent(config, absent, fix)
    result["changed_by_hand"] += changed
    result["loaded"] = find_loaded(pfctl, config, [flow["tracker"] for flow in present + absent], check_mode)
    result["place"] = find_place(data, config) if result["missing"] else {}
    result["addresses"] = find_addresses(config, arguments["ifconfig"])
    result["version"] = config.version
    result["python"] = sys.executable
    will_edit = not check_mode and (result["missing"] or result["unwanted"])
    if will_edit and not os.access(config_path, os.W_OK):
        raise Refusal("config_unwritable", "%s may not be written by this user" % config_path)
    return result


def run(arguments, check_mode, diff):
    try:
        found = probe(arguments, check_mode)
    except Refusal as refusal:
        return refusal.result()
    return dict(found, changed=False)
