"""Checks the batch on the controller, then runs the module of the same name on the firewall.

The flows are read from the variables without templating, because they may hold an alarm's text. The result holds checked
flows only, and is all that later tasks use.
"""

from __future__ import annotations

import json
import os

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import write_flow
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, flows, proof, remote

ROLE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

REFUSALS = ("interface_disabled", "interface_unknown")
MAX_PROOF = 300  # characters of a message about the proof

# How lineinfile inserts: patterns of a few tags, and the text around the new rules.
NO_TEMPLATE = r"(?:(?!\{\{|\{%|\{#)[\x20-\x7e\t\n])*"
PLACE = {
    "pattern": answers.matching(NO_TEMPLATE),
    "backrefs": answers.boolean,
    "before": answers.matching(r"(?:\\1\n)?(?:\t<filter>\n)?"),
    "after": answers.matching(r"\n?\t?(?:</filter>)?\n?(?:\\2)?"),
    "firstmatch": answers.boolean,
}
NO_PLACE = {"pattern": "", "backrefs": False, "before": "", "after": "", "firstmatch": False}
INSIDE = {"destination": answers.host_address, "port": answers.matching("|[1-9][0-9]{0,4}")}
NETWORK = answers.mapping({"interface": answers.matching(flows.INTERFACE.pattern), "network": answers.network})
CARD = answers.mapping(
    {"interface": answers.matching(flows.INTERFACE.pattern), "card": answers.matching(r"[A-Za-z0-9_.]{1,32}")}
)


def shape_of(present, absent):
    """What the probe may answer: about the trackers that it was sent, and no others."""
    max_items = len(present) + len(absent)
    desired = answers.one_of(present)
    either = answers.one_of([*present, *absent])
    refusal = answers.mapping({"tracker": desired, "code": answers.one_of(REFUSALS), "message": answers.text(600)})
    return {
        "missing": answers.set_of(desired, max_items),
        "correct": answers.set_of(desired, max_items),
        "changed_by_hand": answers.set_of(either, max_items),
        "rewrite": answers.set_of(desired, max_items),
        "floating": answers.set_of(desired, max_items),
        "stale": answers.set_of(answers.one_of(absent), max_items),
        "uniform": answers.boolean,
        "loaded": answers.set_of(either, max_items),
        "refused": answers.list_of(refusal, max_items),
        "cards": answers.list_of(CARD, max_items),
        "proof": answers.proofs(desired, max_items),
        "place": lambda value: {} if value == {} else answers.mapping(PLACE)(value),
        # Not named "unreachable", which in an action's result says that the host could not be reached.
        "unreached": answers.list_of(answers.mapping({"tracker": desired, "message": answers.text(MAX_PROOF)}), max_items),
        "followed": answers.list_of(answers.mapping({"tracker": desired, **INSIDE}), max_items),
        "networks": answers.list_of(NETWORK, answers.MAX_NETWORKS),
        "addresses": answers.set_of(answers.host_address, answers.MAX_ADDRESSES),
        "interfaces": answers.INTERFACES,
        "version": answers.optional(answers.text(40)),
        "python": answers.matching(r"/[A-Za-z0-9._/+-]{1,200}"),
    }


def is_whole(found, present):
    """Whether the answer classifies each desired flow once, and says where to insert the missing ones."""
    classified = found["missing"] + found["correct"] + [each["tracker"] for each in found["refused"]]
    classified += [tracker for tracker in found["changed_by_hand"] if tracker in present]
    is_placed = bool(found["place"]) or not found["missing"]
    interfaces = set(flow["interface"] for flow in present.values())
    has_cards = interfaces == set(each["interface"] for each in found["cards"])
    return (
        sorted(classified) == sorted(present)
        and set(found["rewrite"] + found["floating"]) <= set(found["missing"])
        and is_placed
        and has_cards
    )


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("config", "pfctl", "ifconfig", "php", "fix", "rule_place"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._probe(task_vars))

    def _probe(self, task_vars):
        try:
            present = self._read_batch("firebreak_present", task_vars)
            absent = self._read_batch("firebreak_absent", task_vars)
            both = present.keys() & absent.keys()
            if both:
                flow = flows.describe(present[min(both)])
                raise flows.FlowError("%s is in both firebreak_present and firebreak_absent" % flow)
        except flows.FlowError as error:
            return answers.fail("flow_invalid", str(error))

        escalate = self._connection.become is not None
        if escalate and self._connection.become.name != "sudo":
            return answers.fail("become_unsupported", "become_method: the edit supports sudo only")

        args = {key: self._task.args[key] for key in self._VALID_ARGS if key in self._task.args}
        args.update(present=list(present.values()), absent=list(absent.values()))
        if self._task.check_mode:
            args["check"] = remote.read(os.path.join(ROLE, "files"), "check_config")
        result = remote.run_module(self, ROLE, "pfsense_probe", args, task_vars, shape_of(present, absent))
        if result.get("failed"):
            return result
        if not is_whole(result, present):
            return answers.fail("answer_invalid", answers.INVALID)
        result["changed"] = False
        for item in result["refused"]:
            item["message"] = "%s: %s" % (flows.describe(present[item["tracker"]]), item["message"])
        has_nothing_else = len(result["refused"]) == len(present) and not result["stale"]
        # A mixed batch is applied first; its refused flows are reported at the end.
        if result["refused"] and has_nothing_else and not task_vars.get("firebreak_partial"):
            return answers.fail(result["refused"][0]["code"], result["refused"][0]["message"])
        result.update(plan(result, present, absent), escalate=escalate)
        result["warnings"] = [] if result["load_needed"] else proof.list_warnings(result["proof"], present)
        if self._play_context.diff:
            result["summary"] = summarize(result, present, absent)
        return result

    def _read_batch(self, name, task_vars):
        """The list as a mapping of tracker to checked flow, in order. A repeated flow counts once."""
        raw = task_vars.get(name)
        if isinstance(raw, str) and raw.strip().startswith("{{"):
            raw = self._templar.template(raw)  # a playbook's own expression, not an alarm's text
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
    """What the following tasks need, made of checked flows only.

    The flows to add are one text, because Ansible visits every value of a structure in each task.
    """
    inside = ends_inside(found)
    missing = [present[tracker] for tracker in found["missing"]]
    floating = set(found["floating"])
    loaded = set(found["loaded"])
    unproven = [present[tracker] for tracker in found["correct"] if tracker not in loaded]
    changed = set(found["changed_by_hand"])
    to_be_absent = [tracker for tracker in absent if tracker not in changed]
    lingering = [tracker for tracker in to_be_absent if tracker in loaded]
    stale = set(found["stale"])
    cards = {each["interface"]: each["card"] for each in found["cards"]}
    standing = [present[tracker] for tracker in found["missing"] + found["correct"]]
    unreached = [each for each in found["unreached"] if each["tracker"] in found["missing"] + found["correct"]]
    return {
        "flows": json.dumps(
            [{**flow, **inside.get(flow["tracker"], {}), "floating": flow["tracker"] in floating} for flow in missing]
        ),
        "place": found["place"] if missing else NO_PLACE,
        "standing": [write_flow(flow, cards[flow["interface"]]) for flow in standing],
        "absent": to_be_absent,
        "already_absent": [tracker for tracker in to_be_absent if tracker not in stale],
        "remove": found["stale"] + found["rewrite"],
        "load_needed": bool(missing or unproven or lingering or stale),
        "proven": not (missing or unproven or lingering or stale),
        "proof": proof.override(found["proof"], unreached),
        "unreached": unreached,
        "kill": [
            "%s %s" % (flow["source"], destination)
            for flow in missing + unproven
            for destination in dict.fromkeys((flow["destination"], inside.get(flow["tracker"], flow)["destination"]))
        ],
        "summary": [],
    }


def ends_inside(found):
    """By tracker, what a rule blocks instead of the public side of a port forward: {destination, port}."""
    return {each["tracker"]: {"destination": each["destination"], "port": each["port"]} for each in found["followed"]}


def summarize(found, present, absent):
    """Our own short diff."""
    inside, floating = ends_inside(found), set(found["floating"])
    added = [
        "+ " + flows.show(present[tracker]) + flows.show_inside(inside.get(tracker)) + ", floating" * (tracker in floating)
        for tracker in found["missing"]
    ]
    return added + ["- " + flows.show(absent[tracker]) for tracker in found["stale"]]


def plain(item):
    """The flow without Ansible's marks on its texts, so that the checks cannot evaluate anything."""
    return {str(key): value for key, value in item.items()} if hasattr(item, "items") else item

