"""Has the firewall load and prove its rules, by the module of the same name."""

from __future__ import annotations

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


remote = load_ours("firebreak_remote")
answers = remote.answers

ANSWER = {"proven": answers.yes_or_no, "cut_states": answers.number(0, 100000)}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._load(task_vars))

    def _load(self, task_vars):
        args = dict(self._task.args)
        summary = args.pop("summary", None)
        result = remote.run_module(self, ROLE, "pfsense_load", args, task_vars, ANSWER)
        if result.get("failed"):
            return result
        result["changed"] = True
        if self._play_context.diff and summary:
            result["diff"] = {"prepared": "\n".join(summary) + "\n"}
        return result
