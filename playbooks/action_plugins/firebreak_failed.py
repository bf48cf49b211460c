"""Fails once more as the task before a rescue failed, so that a rescue may do something and the failure stays one."""

from __future__ import annotations

import importlib.util
import os

from ansible.plugins.action import ActionBase

_path = os.path.join(os.path.dirname(__file__), os.pardir, "plugin_utils", "firebreak_answer.py")
_spec = importlib.util.spec_from_file_location("firebreak_answer", os.path.realpath(_path))
answers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(answers)


LONGEST = 4000  # of a batch each flow is told


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset()

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        failed = (task_vars or {}).get("ansible_failed_result") or {}
        known = failed.get("firebreak_error")
        if not isinstance(known, dict):  # no plugin of ours failed, but Ansible itself
            return answers.explain_failure(failed)
        return answers.fail(str(known.get("code")), answers.clean(known.get("message"), LONGEST))
