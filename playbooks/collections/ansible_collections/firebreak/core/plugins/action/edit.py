"""Edits a file with lineinfile or replace, and returns only whether it changed, or one of our error codes.

The module's answer is the firewall's text like any other: facts, statistics and hosts to add in it are dropped.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, remote

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
