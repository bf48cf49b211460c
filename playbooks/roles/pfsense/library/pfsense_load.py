#!/usr/bin/python
"""Reloads pfSense's rules, and accepts only pf's own list of rules as proof."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_load
short_description: Reloads pfSense's rules, proves them in pf, and kills the states of newly blocked flows
description:
  - pfSense's reload command exits with 0 even when pf refuses the rules. The proof is a C(block) rule in
    C(pfctl -vvsr) with our tracker, none for removed rules, and for a block that C(pfctl -si) shows an enabled pf.
  - Limits its own running time, so that nothing keeps running if the controller disconnects.
options:
  reload_command:
    description: pfSense's reload command and its arguments.
    required: true
    type: list
    elements: str
  config:
    description: Path of config.xml, to check that the edit is still there if pf does not show it.
    required: true
    type: str
  cache:
    description: >-
      The cache that pfSense would load instead of config.xml. The edit removes it. If a power cut prevented that, it is
      removed before the reload.
    type: str
  reload_timeout:
    description: Seconds after which a reload is ended.
    type: int
    default: 30
  reload_status:
    description: The file in which pfSense reports the result of the last reload.
    required: true
    type: str
  pfctl:
    description: Path of pfctl.
    required: true
    type: str
  proof_timeout:
    description: Seconds to wait, after the reload command, for pf to show the rules.
    type: int
    default: 15
  present:
    description: Trackers that pf must block.
    type: list
    elements: int
    default: []
  rewritten:
    description: Those of C(present) whose rule was written anew. If pf refuses the rules, it still lists the old one.
    type: list
    elements: int
    default: []
  absent:
    description: Trackers that pf must not block.
    type: list
    elements: int
    default: []
  flows:
    description: >-
      The flows of C(present), each on one line: tracker, interface, the real name of that interface, family, protocol,
      source, destination and port. For each of them C(proof) says whether its packets are dropped.
    type: list
    elements: str
    default: []
  ifconfig:
    description: Path of ifconfig, which lists the members of interface groups.
    type: str
    default: /sbin/ifconfig
  kill:
    description: Pairs (source, a space, destination) whose states are killed once the rules are proven.
    type: list
    elements: str
    default: []
  kill_states:
    description: Whose states to kill.
    choices: [pair, source, none]
    type: str
    default: pair
author: Firebreak
"""

EXAMPLES = """
- name: Load the rules and prove one of them
  pfsense_load:
    config: /cf/conf/config.xml
    reload_command: [/etc/rc.filter_configure_sync]
    reload_status: /var/run/filter_reload_status
    pfctl: /sbin/pfctl
    present: [2000000001]
"""

RETURN = """
proven:
  description: Whether pf shows what it should. False in check mode.
  returned: success
  type: bool
proof:
  description: >-
    For each of C(flows) its C(tracker), its C(level) and a C(message). C(decides): pf drops its packets. C(shadowed):
    another rule passes them first, and the message says which. C(listed): it could not be decided, and the message says
    why. Empty in check mode.
  returned: success
  type: list
  elements: dict
killed_states:
  description: How many states of the blocked pairs (or sources) were killed.
  returned: success
  type: int
open_states:
  description: How many of them are still open, although they were to be killed. Null if pf does not list its states.
  returned: success
  type: int
"""

import os

from ansible.module_utils.pfsense_config import read_trackers
from ansible_collections.firebreak.core.plugins.module_utils.pf import DISABLED, wait_for_proof
from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import prove_flows, read_flow
from ansible_collections.firebreak.core.plugins.module_utils.pf_states import kill_states
from ansible_collections.firebreak.core.plugins.module_utils.programs import last_words, run_bounded
from ansible_collections.firebreak.core.plugins.module_utils.refusal import Refusal


def read_status(path):
    """(time of the last change, text). Only a report that is newer than our reload is about our reload."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns, file.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""


def refuse_unloaded(path, before):
    """Raises pfSense's own message if it reports that this reload did not load the rules."""
    now = read_status(path)
    if now == before:
        return
    for line in reversed(now[1].splitlines()):
        if line.startswith("Filter is disabled"):
            raise Refusal("pf_disabled", DISABLED)
        if "error" in line.lower():
            raise Refusal("load_refused", "pf refused the rules: %s" % " ".join(line.split())[:600])


class Edit:
    """Our edit of the file. A request in the web pages that began before it may overwrite it."""

    def __init__(self, path):
        self.path = path
        self.seen = None

    def refuse_if_lost(self, missing, lingering):
        try:
            status = os.stat(self.path)
        except OSError:
            return  # pf decides, and the next run reads the file
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self.seen:
            return
        self.seen = seen
        found = read_trackers(self.path)
        if missing - found or lingering & found:
            raise Refusal("edit_overwritten", "a save in the web pages that began before our edit overwrote it")


def drop_cache(path):
    try:
        os.unlink(path)
    except OSError:
        pass  # there is none, or it cannot be removed: then the proof fails


def reload_rules(params):
    command = params["reload_command"]
    try:
        ended = run_bounded(command, params["reload_timeout"])
    except OSError as error:
        raise Refusal("reload_failed", "%s cannot be run: %s" % (command[0], error.strerror))
    if ended.status is None:
        raise Refusal(
            "reload_timeout", "%s did not end within %d s and was ended" % (command[0], params["reload_timeout"])
        )
    if ended.status != 0:
        reason = last_words(ended.output) or "no output"
        raise Refusal("reload_failed", "%s exited with %d: %s" % (command[0], ended.status, reason))


def prove_rules(params, status_before):
    """Waits for pf to list the rules, and returns its list, unless pfSense reports an error or the edit was overwritten."""
    edit = Edit(params["config"])

    def check(missing, lingering):
        refuse_unloaded(params["reload_status"], status_before)
        edit.refuse_if_lost(missing, lingering)

    present, absent = set(params["present"]), set(params["absent"])
    rules = wait_for_proof(params["pfctl"], present, absent, params["proof_timeout"], check)
    if params["rewritten"]:
        refuse_unloaded(params["reload_status"], status_before)
    return rules


def load(params):
    status_before = read_status(params["reload_status"])
    if params["cache"]:
        drop_cache(params["cache"])
    reload_rules(params)
    rules = prove_rules(params, status_before)
    killed, still_open = kill_states(params["pfctl"], params["kill_states"], params["kill"])
    flows = [read_flow(line) for line in params["flows"]]
    proof = prove_flows(params["pfctl"], params["ifconfig"], rules, flows)
    return {"proven": True, "proof": proof, "killed_states": killed, "open_states": still_open}


def run(arguments, check_mode, diff):
    result = {"changed": True, "proven": False, "proof": [], "killed_states": 0, "open_states": 0}
    if not check_mode:
        try:
            result.update(load(arguments))
        except Refusal as refusal:
            return refusal.result()
    return result
