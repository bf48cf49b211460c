"""Edits the configuration by lineinfile or replace, and hands on whether it changed, or one of our codes.

Their answer is the firewall's text like any other. What else it holds (facts, statistics, hosts to add) ends here.
"""

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

MODULES = ("lineinfile", "replace")


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(MODULES)

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._edit(task_vars))

    def _edit(self, task_vars):
        ((name, args),) = self._task.args.items()
        answer = self._execute_module(module_name="ansible.builtin." + name, module_args=args, task_vars=task_vars)
        if not isinstance(answer, dict):
            return answers.fail("answer_invalid", answers.INVALID)
        if answer.get("failed"):
            return answers.explain_failure(answer)
        if not isinstance(answer.get("changed"), bool):
            return answers.fail("answer_invalid", answers.INVALID)
        return {"changed": answer["changed"]}
