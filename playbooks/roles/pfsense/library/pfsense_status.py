#!/usr/bin/python
"""Reads our own rules from pfSense's configuration and from pf, and changes nothing."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_status
short_description: Reads which rules of ours stand on a pfSense firewall
description:
  - Reads the rules of config.xml whose tracker is in our band, and which of them pf has loaded. Nothing else of the
    file leaves the firewall.
  - An action plugin of the same name judges the rules on the controller, where their trackers can be computed.
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
author: Firebreak
"""

EXAMPLES = """
- name: Look at our rules
  pfsense_status:
    config: /cf/conf/config.xml
    pfctl: /sbin/pfctl
    ifconfig: /sbin/ifconfig
"""

RETURN = """
rules:
  description: Our rules as they stand, each with its tracker, its flow, and an element that makes it block less or something else.
loaded:
  description: Trackers of our band that pf blocks by now.
addresses:
  description: The firewall's own addresses, none of them loopback or link-local.
"""

from ansible.module_utils.pfsense_config import (
    Refusal,
    find_narrowing,
    find_other_end,
    parse_config,
    read_config,
    read_flow,
)
from ansible.module_utils.pfsense_pf import find_addresses, read_blocking_trackers

# Trackers of ours: above every one made from a clock until 2033, and below 2^31.
BAND_START, BAND_END = 2000000000, 2147483648


def is_ours(tracker):
    return BAND_START <= tracker < BAND_END


def read_ours(config):
    rules = []
    for tracker, standing in config.rules.items():
        if is_ours(tracker):
            rules += [
                {
                    "tracker": tracker,
                    "flow": read_flow(rule),
                    "description": rule.get("descr", ""),
                    "changed_by": find_other_end(rule) or find_narrowing(rule),
                }
                for rule in standing
            ]
    return rules


def run(arguments, check_mode, diff):
    path = arguments["config"]
    try:
        config = parse_config(read_config(path), path)
        rules = read_ours(config)
        loaded = sorted(filter(is_ours, read_blocking_trackers(arguments["pfctl"])))
    except Refusal as refusal:
        return refusal.result()
    addresses = find_addresses(config, arguments["ifconfig"])
    return {"changed": False, "rules": rules, "loaded": loaded, "addresses": addresses}
