"""Checks the batch on the controller, then has the firewall looked at.

The flows are read as they stand in the variables, never templated: they may hold an alarm's words.
What comes out holds checked flows only, and is all that later tasks use.
"""

from __future__ import annotations

import importlib.util
import json
import os

from ansible.plugins.action import ActionBase

ROLE = os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir))


def load_ours(name):
    path = os.path.realpath(os.path.join(ROLE, os.pardir, os.pardir, "plugin_utils", name + ".py"))
    spec = importlib.util.spec_from_file_location(name, path)
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return code


flows, remote = load_ours("firebreak_flow"), load_ours("firebreak_remote")
answers = remote.answers

REFUSALS = ("interface_disabled", "interface_unknown")

# How lineinfile is to insert: expressions of a few tags, and what stands around the new rules.
NO_TEMPLATE = r"(?:(?!\{\{|\{%|\{#)[\x20-\x7e\t\n])*"
PLACE = {
    "pattern": answers.matching(NO_TEMPLATE),
    "backrefs": answers.yes_or_no,
    "before": answers.matching(r"(?:\\1\n)?(?:\t<filter>\n)?"),
    "after": answers.matching(r"\n?\t?(?:</filter>)?\n?(?:\\2)?"),
    "firstmatch": answers.yes_or_no,
}


def shape_of(present, absent):
    """What the probe may say: of the trackers that it was sent, and of no other."""
    most = len(present) + len(absent)
    wanted = answers.one_of(present)
    either = answers.one_of([*present, *absent])
    refusal = answers.mapping({"tracker": wanted, "code": answers.one_of(REFUSALS), "message": answers.text(600)})
    return {
        "missing": answers.set_of(wanted, most),
        "right": answers.set_of(wanted, most),
        "changed_by_hand": answers.set_of(either, most),
        "rewrite": answers.set_of(wanted, most),
        "unwanted": answers.set_of(answers.one_of(absent), most),
        "loaded": answers.set_of(either, most),
        "refused": answers.list_of(refusal, most),
        "place": lambda value: {} if value == {} else answers.mapping(PLACE)(value),
        "addresses": answers.set_of(answers.host_address, answers.MOST_ADDRESSES),
        "version": answers.nothing_or(answers.text(40)),
        "python": answers.matching(r"/[A-Za-z0-9._/+-]{1,200}"),
    }


def is_whole(found, present):
    """Is each flow that should be blocked in one place, and is there a place for those that are missing?"""
    told = found["missing"] + found["right"] + [each["tracker"] for each in found["refused"]]
    told += [tracker for tracker in found["changed_by_hand"] if tracker in present]
    is_placed = bool(found["place"]) or not found["missing"]
    return sorted(told) == sorted(present) and set(found["rewrite"]) <= set(found["missing"]) and is_placed


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("config", "pfctl", "ifconfig", "fix"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._probe(task_vars))

    def _probe(self, task_vars):
        try:
            present = self._read_batch("firebreak_present", task_vars)
            absent = self._read_batch("firebreak_absent", task_vars)
            both = present.keys() & absent.keys()
            if both:
                raise flows.FlowError("%s is both wanted and unwanted" % flows.describe(present[min(both)]))
        except flows.FlowError as error:
            return answers.fail("flow_invalid", str(error))

        escalate = self._connection.become is not None
        if escalate and self._connection.become.name != "sudo":
            return answers.fail("become_unsupported", "become_method: the edit knows sudo only")

        args = {key: self._task.args[key] for key in ("config", "pfctl", "ifconfig", "fix")}
        args.update(present=list(present.values()), absent=list(absent.values()))
        result = remote.run_module(self, ROLE, "pfsense_probe", args, task_vars, shape_of(present, absent))
        if result.get("failed"):
            return result
        if not is_whole(result, present):
            return answers.fail("answer_invalid", answers.INVALID)
        result["changed"] = False
        for item in result["refused"]:
            item["message"] = "%s: %s" % (flows.describe(present[item["tracker"]]), item["message"])
        nothing_else = len(result["refused"]) == len(present) and not result["unwanted"]
        # A batch is told of each flow what is wrong with it, at its end.
        if result["refused"] and nothing_else and not task_vars.get("firebreak_partial"):
            return answers.fail(result["refused"][0]["code"], result["refused"][0]["message"])
        result.update(plan(result, present, absent), escalate=escalate)
        if self._play_context.diff:
            result["summary"] = summarize(result, present, absent)
        return result

    def _read_batch(self, name, task_vars):
        """The list as a mapping of tracker to checked flow, in its order; a flow that comes twice is one flow."""
        raw = task_vars.get(name)
        if isinstance(raw, str) and raw.strip().startswith("{{"):
            raw = self._templar.template(raw)  # an expression of a playbook, not an alarm's text
        if raw is None:
            return {}
        if not isinstance(raw, (list, tuple)):
            raise flows.FlowError("%s: expected a list of flows, got %s" % (name, type(raw).__name__))
        batch = {}
        for number, item in enumerate(raw, 1):
            try:
                flow = flows.canonical_flow(plain(item))
            except flows.FlowError as error:
                raise flows.FlowError("%s, flow %d of %d: %s" % (name, number, len(raw), error)) from None
            batch[flow["tracker"]] = flow
        return batch


def plan(found, present, absent):
    """What the tasks that follow need, made of checked flows only.

    The flows to add are one text: Ansible walks over each word of a structure, and again in every task.
    """
    missing = [present[tracker] for tracker in found["missing"]]
    loaded = set(found["loaded"])
    unproven = [present[tracker] for tracker in found["right"] if tracker not in loaded]
    changed = set(found["changed_by_hand"])
    gone = [tracker for tracker in absent if tracker not in changed]
    lingering = [tracker for tracker in gone if tracker in loaded]
    unwanted = set(found["unwanted"])
    return {
        "flows": json.dumps(missing),
        "wanted_absent": gone,
        "unwanted_absent": [tracker for tracker in gone if tracker not in unwanted],
        "remove": found["unwanted"] + found["rewrite"],
        "load_needed": bool(missing or unproven or lingering or unwanted),
        "proven": not (missing or unproven or lingering or unwanted),
        "cut": ["%s %s" % (flow["source"], flow["destination"]) for flow in missing + unproven],
        "summary": [],
    }


def summarize(found, present, absent):
    """The short diff of our own."""
    come = ["+ " + flows.show(present[tracker]) for tracker in found["missing"]]
    return come + ["- " + flows.show(absent[tracker]) for tracker in found["unwanted"]]


def plain(item):
    """Without Ansible's marks on the words: the checks below must not be able to evaluate anything."""
    return {str(key): value for key, value in item.items()} if hasattr(item, "items") else item

