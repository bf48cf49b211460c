"""Classifies Firebreak's rules on a firewall: in force, not loaded, or changed by hand.

A rule's tracker follows from what the rule blocks, so a changed rule is recognized without a ledger. Its texts may then
be anyone's, so the result holds only text that is safe to show and to template.
"""

from __future__ import annotations

import collections
import os

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, flows, remote

ROLE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

# No firewall has more of Firebreak's rules than these. What a person wrote into one is cut and not refused.
MAX_RULES = 100000
MAX_PACKETS = 2**53 - 1  # the largest integer that every JSON reader knows exactly
TRACKER = answers.number(flows.BAND_START, flows.BAND_START + flows.BAND_SIZE - 1)
END = {"destination": answers.host_address, "port": answers.matching("|[1-9][0-9]{0,4}")}
RULE = answers.mapping(
    {
        "tracker": TRACKER,
        "flow": answers.mapping({field: answers.text(200) for field in flows.FIELDS}),
        "description": answers.text(200),
        "changed_by": answers.optional(answers.text(100)),
        "unreached": answers.optional(answers.text(300)),
        "publics": answers.list_of(answers.mapping(END), 64),
    }
)
PACKETS = answers.mapping({"tracker": TRACKER, "packets": answers.number(1, 2**64 - 1)})
NETWORK = answers.mapping({"interface": answers.matching(flows.INTERFACE.pattern), "network": answers.network})
EDIT_ERRORS = ("edit_refused", "edit_conflict", "filter_unreadable", "filter_ambiguous")
EDIT_ERROR = answers.mapping({"code": answers.one_of(EDIT_ERRORS), "message": answers.text(600)})
ANSWER = {
    "rules": answers.list_of(RULE, MAX_RULES),
    "loaded": answers.set_of(TRACKER, MAX_RULES),
    "packets": answers.list_of(PACKETS, MAX_RULES),
    "proof": answers.proofs(TRACKER, MAX_RULES),
    "misplaced": answers.set_of(TRACKER, MAX_RULES),
    "addresses": answers.set_of(answers.host_address, answers.MAX_ADDRESSES),
    "networks": answers.list_of(NETWORK, answers.MAX_NETWORKS),
    "interfaces": answers.INTERFACES,
    # Empty if there is none: Ansible 2.14 would make an empty text of None.
    "edit_error": lambda value: {} if value == {} else EDIT_ERROR(value),
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("config", "pfctl", "ifconfig", "php", "rule_place"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._classify(task_vars))

    def _classify(self, task_vars):
        args = dict(self._task.args, check=remote.read(os.path.join(ROLE, "files"), "check_config"))
        found = remote.run_module(self, ROLE, "pfsense_status", args, task_vars, ANSWER)
        if found.get("failed"):
            return found
        loaded = set(found["loaded"])
        occurrences = collections.Counter(rule["tracker"] for rule in found["rules"])
        proof = {each["tracker"]: each for each in found["proof"]}
        standing = [
            describe_rule(rule, loaded, occurrences[rule["tracker"]], proof.get(rule["tracker"])) for rule in found["rules"]
        ]
        packets = {each["tracker"]: each["packets"] for each in found["packets"]}
        misplaced = set(found["misplaced"])
        for rule in standing:
            if rule["proven"]:
                rule["packets"] = min(packets.get(rule["tracker"], 0), MAX_PACKETS)
            if rule["tracker"] in misplaced and rule.get("proof") == "shadowed":
                rule["misplaced"] = True
        only_in_pf = sorted(loaded - set(occurrences))
        return {
            "changed": False,
            "standing": standing,
            "only_in_pf": only_in_pf,
            "addresses": found["addresses"],
            "interfaces": found["interfaces"],
            "networks": found["networks"],
            "edit_error": found["edit_error"],
            "lines": list_lines(standing, only_in_pf) + list_error(found["edit_error"]),
        }


def describe_rule(rule, loaded, occurrences, proof):
    inside = None
    public = find_public(rule)
    if public:
        inside = {field: safe(rule["flow"][field]) for field in END}
        rule = dict(rule, flow=dict(rule["flow"], **public))
    why = find_change(rule)
    if why is None and occurrences > 1:
        why = "the configuration has it %d times" % occurrences
    # What pf has loaded under the tracker of a changed rule is not the tracker's flow.
    proven = why is None and rule["tracker"] in loaded
    return {
        "tracker": rule["tracker"],
        **{field: safe(rule["flow"][field]) for field in flows.FIELDS},
        "description": flows.clean_description(rule["description"]),
        "changed": why is not None,
        "why": why,
        "proven": proven,
        **({"followed": inside} if inside else {}),
        **(describe_proof(rule, proof) if proven else {}),
    }


def find_public(rule):
    """The public side of a port forward that the rule was made for, as its tracker tells, or None."""
    for public in rule["publics"]:
        try:
            flows.canonical_flow(dict(rule["flow"], tracker=rule["tracker"], **public))
        except flows.FlowError:
            continue
        return public
    return None


def describe_proof(rule, proof):
    """Whether the packets of a rule that stands meet it, else what pf decides."""
    if rule["unreached"]:
        return {"proof": "unreachable_path", "proof_message": rule["unreached"]}
    return {"proof": proof["level"], "proof_message": proof["message"]} if proof else {}


def find_change(rule):
    """How a rule differs from the one that Firebreak would write, or None."""
    if rule["changed_by"]:
        return "it has <%s>" % rule["changed_by"]
    try:
        ours = flows.canonical_flow(dict(rule["flow"], tracker=rule["tracker"]))
    except flows.FlowError as error:
        return str(error)
    # Only addresses are case-insensitive: "TCP" makes another rule than "tcp".
    for field in flows.FIELDS:
        text = rule["flow"][field]
        if (text.lower() if field in ("source", "destination") else text) != ours[field]:
            return "%s is %s" % (field, flows.quote(text))
    return None


def safe(text):
    return flows.quote(text)[1:-1]


def describe_state(rule):
    """(state, why) of a rule, for a person."""
    if rule["changed"]:
        return "changed by hand", rule["why"]
    if not rule["proven"]:
        return "not loaded by pf", ""
    level = rule.get("proof", "listed")
    return "in force" if level == "decides" else level, rule.get("proof_message", "")


def list_error(edit_error):
    return ["no rule can be added: %s" % edit_error["message"]] if edit_error else []


def list_lines(standing, only_in_pf):
    proven = sum(rule["proven"] for rule in standing)
    rules = "Firebreak rule" if len(standing) == 1 else "Firebreak rules"
    lines = ["%d %s in the configuration, %d of them proven in pf" % (len(standing), rules, proven)]
    for rule in standing:
        state, why = describe_state(rule)
        what = flows.show(rule) + flows.show_inside(rule.get("followed"))
        packets = ", %d stopped" % rule["packets"] if rule.get("packets") else ""
        lines.append("%s: %s%s (%s)%s" % (state, what, ": %s" % why if why else "", rule["description"], packets))
    lines += ["only in pf, not in the configuration: tracker %d" % tracker for tracker in only_in_pf]
    return lines
