"""Edits a file with replace, lineinfile, or one after the other, and returns only whether each changed it, or one of our
error codes.

The module's answer is the firewall's text like any other: facts, statistics and hosts to add in it are dropped.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, remote

# In the order in which they run: what each result is called, and the argument without which there is nothing to do.
MODULES = {"replace": ("replaced", "regexp"), "lineinfile": ("inserted", "line")}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(MODULES)

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(lambda: self._edit_all(task_vars))

    def _edit_all(self, task_vars):
        result = {"changed": False, "replaced": False, "inserted": False}
        for name, (done, needed) in MODULES.items():
            args = self._task.args.get(name)
            if args and args.get(needed):
                edited = self._edit(name, args, task_vars)
                if edited.get("failed"):
                    return edited
                result[done] = edited["changed"]
                result["changed"] = result["changed"] or edited["changed"]
        return result

    def _edit(self, name, args, task_vars):
        answer = self._execute_module(module_name="ansible.builtin." + name, module_args=args, task_vars=task_vars)
        if not isinstance(answer, dict):
            return answers.fail("answer_invalid", answers.INVALID)
        if answer.get("failed"):
            return answers.explain_failure(answer)
        if not isinstance(answer.get("changed"), bool):
            return answers.fail("answer_invalid", answers.INVALID)
        return {"changed": answer["changed"]}
