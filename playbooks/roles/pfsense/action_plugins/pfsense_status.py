"""Judges the rules of ours that stand on a firewall: in force, not loaded, or changed by hand.

A rule's tracker follows from what the rule blocks, so a rule that was changed tells on itself, with no ledger at
hand. Its words may be anybody's by then: what is handed on is safe to show and to template.
"""

from __future__ import annotations

import collections
import importlib.util
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

# More rules of ours than these no firewall has; whatever a person wrote into one is cut, not refused.
MOST = 100000
TRACKER = answers.number(flows.BAND_START, flows.BAND_START + flows.BAND_SIZE - 1)
RULE = answers.mapping(
    {
        "tracker": TRACKER,
        "flow": answers.mapping({field: answers.text(200) for field in flows.FIELDS}),
        "description": answers.text(200),
        "changed_by": answers.nothing_or(answers.text(100)),
    }
)
ANSWER = {"rules": answers.list_of(RULE, MOST), "loaded": answers.set_of(TRACKER, MOST),
          "addresses": answers.set_of(answers.host_address, answers.MOST_ADDRESSES)}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("config", "pfctl", "ifconfig"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._judge(task_vars))

    def _judge(self, task_vars):
        found = remote.run_module(self, ROLE, "pfsense_status", self._task.args, task_vars, ANSWER)
        if found.get("failed"):
            return found
        loaded = set(found["loaded"])
        times = collections.Counter(rule["tracker"] for rule in found["rules"])
        standing = [describe_rule(rule, loaded, times[rule["tracker"]]) for rule in found["rules"]]
        only_in_pf = sorted(loaded - set(times))
        return {
            "changed": False,
            "standing": standing,
            "only_in_pf": only_in_pf,
            "addresses": found["addresses"],
            "lines": tell(standing, only_in_pf),
        }


def describe_rule(rule, loaded, times):
    why = find_change(rule)
    if why is None and times > 1:
        why = "it stands there %d times" % times
    return {
        "tracker": rule["tracker"],
        **{field: safe(rule["flow"][field]) for field in flows.FIELDS},
        "description": flows.clean_description(rule["description"]),
        "changed": why is not None,
        "why": why,
        # What pf has under the tracker of a changed rule is not what the tracker stands for.
        "proven": why is None and rule["tracker"] in loaded,
    }


def find_change(rule):
    """Says how a rule differs from one that we would have written, or None."""
    if rule["changed_by"]:
        return "it has <%s>" % rule["changed_by"]
    try:
        ours = flows.canonical_flow(dict(rule["flow"], tracker=rule["tracker"]))
    except flows.FlowError as error:
        return str(error)
    # Only addresses may be spelt in either case: "TCP" makes another rule than "tcp".
    for field in flows.FIELDS:
        text = rule["flow"][field]
        if (text.lower() if field in ("source", "destination") else text) != ours[field]:
            return "%s is %s" % (field, flows.quote(text))
    return None


def safe(text):
    return flows.quote(text)[1:-1]


def tell(standing, only_in_pf):
    proven = sum(rule["proven"] for rule in standing)
    lines = ["%d of our rules stand in the configuration, %d of them proven in pf" % (len(standing), proven)]
    for rule in standing:
        state = "changed by hand" if rule["changed"] else "in force" if rule["proven"] else "not loaded by pf"
        note = ": %s" % rule["why"] if rule["changed"] else ""
        lines.append("%s: %s%s %s" % (state, flows.show(rule), note, "(%s)" % rule["description"]))
    lines += ["only in pf, not in the configuration: tracker %d" % tracker for tracker in only_in_pf]
    return lines
