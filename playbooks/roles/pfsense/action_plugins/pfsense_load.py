"""Runs the module of the same name on the firewall, if there is anything to load, checks its answer, and hands on the
result of the role as set_stats would."""

from __future__ import annotations

import os

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import read_flow
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, proof, remote

ROLE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

MAX_STATES = 1000000000
REPORTED = ("proven", "proof", "killed_states")


def shape_of(trackers):
    return {
        "proven": answers.boolean,
        "proof": answers.proofs(answers.one_of(trackers), len(trackers)),
        "killed_states": answers.number(0, MAX_STATES),
        "open_states": answers.optional(answers.number(0, MAX_STATES)),
    }


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._load_and_report(task_vars))

    def _load_and_report(self, task_vars):
        args = dict(self._task.args)
        needed, report = args.pop("needed", True), args.pop("result", None)
        loaded = self._load(args, task_vars) if needed else {"changed": False}
        if report is not None and not loaded.get("failed"):
            report = {"killed_states": 0, **report, **{key: loaded[key] for key in REPORTED if key in loaded}}
            loaded["ansible_stats"] = {"data": {"firebreak": report}, "per_host": True, "aggregate": True}
        return loaded

    def _load(self, args, task_vars):
        summary, unreached = args.pop("summary", None), args.pop("unreached", [])
        flows = {flow["tracker"]: flow for flow in map(read_flow, args.get("flows", []))}
        result = remote.run_module(self, ROLE, "pfsense_load", args, task_vars, shape_of(flows))
        if result.get("failed"):
            return result
        result["changed"] = True
        result["proof"] = proof.override(result["proof"], unreached)
        result["warnings"] = proof.list_warnings(result["proof"], flows)
        if result["open_states"] is None:
            result["warnings"].append("pf does not list its states: open connections of the blocked flows may be left")
        elif result["open_states"] > 0:
            left = "1 open connection" if result["open_states"] == 1 else "%d open connections" % result["open_states"]
            result["warnings"].append("not killed: %s of the blocked flows" % left)
        if self._play_context.diff and summary:
            result["diff"] = {"prepared": "\n".join(summary) + "\n"}
        return result
