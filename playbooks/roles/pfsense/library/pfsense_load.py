#!/usr/bin/python
"""Has pfSense load its rules, and believes only pf that it did."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_load
short_description: Reloads pfSense's rules, proves them in pf, cuts the states of what is newly blocked
description:
  - pfSense's reload command exits with 0 even when pf refuses the rules. The proof is a C(block) rule in
    C(pfctl -vvsr) with our tracker, and none for what was taken out.
  - Bounds its own time, so that a controller that goes away leaves nothing running.
options:
  reload_command:
    description: pfSense's reload command and its arguments.
    required: true
    type: list
    elements: str
  config:
    description: Path of config.xml, to look whether the edit is still there where pf does not show it.
    required: true
    type: str
  cache:
    description: >-
      What pfSense would load instead of config.xml. The edit drops it; where a power cut came between, it is still
      there, and is dropped before the reload.
    type: str
  reload_timeout:
    description: Seconds until a reload that does not end is ended.
    type: int
    default: 30
  reload_status:
    description: The file in which pfSense says how the last reload went.
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
  absent:
    description: Trackers that pf must not block.
    type: list
    elements: int
    default: []
  cut:
    description: Pairs (source, a space, destination) whose states are cut once the rules are proven.
    type: list
    elements: str
    default: []
  kill_states:
    description: Whose states to cut.
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
cut_states:
  description: How many pairs or sources were cut.
"""

import os
import time

from ansible.module_utils.pfsense_config import Refusal, read_trackers
from ansible.module_utils.pfsense_pf import read_blocking_trackers, run_bounded
from ansible.module_utils.pfsense_states import cut_states


def read_status(path):
    """(time of the last change, text): only a report that is newer than our reload is about our reload."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns, file.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""


def find_refusal(path, before):
    """pfSense's own words when pf refused the rules in this reload, else None."""
    now = read_status(path)
    if now == before:
        return None
    for line in reversed(now[1].splitlines()):
        if "error" in line.lower():
            return " ".join(line.split())[:600]
    return None


class Edit:
    """Our edit of the file. Somebody in the web pages whose request began before it may write over it."""

    def __init__(self, path):
        self.path = path
        self.seen = None

    def refuse_if_lost(self, missing, lingering):
        try:
            status = os.stat(self.path)
        except OSError:
            return  # pf is the judge, and the next run looks at the file
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self.seen:
            return
        self.seen = seen
        standing = read_trackers(self.path)
        if missing - standing or lingering & standing:
            raise Refusal("edit_overwritten", "somebody's save, begun before our edit, was written over it")


def drop_cache(path):
    try:
        os.unlink(path)
    except OSError:
        pass  # there is none, or it is not ours to drop: then pf tells


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
        said = " ".join(ended.output.split())[-300:]
        raise Refusal("reload_failed", "%s exited with %d: %s" % (command[0], ended.status, said or "it said nothing"))


def wait_for_proof(params, status_before):
    """Looks at pf until it shows what it should, pfSense reports an error, or the time is up."""
    present, absent = set(params["present"]), set(params["absent"])
    edit = Edit(params["config"])
    deadline = time.time() + params["proof_timeout"]
    pause = 0.1
    while True:
        blocking = read_blocking_trackers(params["pfctl"])
        missing, lingering = present - blocking, absent & blocking
        if not missing and not lingering:
            return
        refusal = find_refusal(params["reload_status"], status_before)
        if refusal:
            raise Refusal("load_refused", "pf refused the rules: %s" % refusal)
        edit.refuse_if_lost(missing, lingering)
        if time.time() + pause > deadline:
            raise Refusal("load_unproven", say_unproven(missing, lingering, params["proof_timeout"]))
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def say_unproven(missing, lingering, seconds):
    parts = []
    if missing:
        parts.append("does not block %d of the rules (tracker %d)" % (len(missing), min(missing)))
    if lingering:
        parts.append("still blocks %d that were taken out (tracker %d)" % (len(lingering), min(lingering)))
    return "%d s after the reload pf %s" % (seconds, " and ".join(parts))


def load(params):
    status_before = read_status(params["reload_status"])
    if params["cache"]:
        drop_cache(params["cache"])
    reload_rules(params)
    wait_for_proof(params, status_before)
    return cut_states(params["pfctl"], params["kill_states"], params["cut"])


def run(arguments, check_mode, diff):
    result = {"changed": True, "proven": False, "cut_states": 0}
    if not check_mode:
        try:
            result["cut_states"] = load(arguments)
            result["proven"] = True
        except Refusal as refusal:
            return refusal.result()
    return result
