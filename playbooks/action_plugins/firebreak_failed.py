"""Fails once more as the task before a rescue failed, so that a rescue may do something and the failure stays one."""

from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset()

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        failed = (task_vars or {}).get("ansible_failed_result") or {}
        result = {"failed": True, "msg": failed.get("msg") or "a task failed and said nothing"}
        if failed.get("firebreak_error"):
            result["firebreak_error"] = failed["firebreak_error"]
        return result
