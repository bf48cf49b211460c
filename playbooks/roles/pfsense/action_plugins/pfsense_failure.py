"""Says which task of a block failed, as a code and a sentence of ours, and whether it is worth another try.

Reads the failed result as it stands: a template of it would evaluate what Ansible put there of its own errors.
"""

from __future__ import annotations

import importlib.util
import os

from ansible.plugins.action import ActionBase

_path = os.path.join(os.path.dirname(__file__), "..", "..", "..", "plugin_utils", "firebreak_answer.py")
_spec = importlib.util.spec_from_file_location("firebreak_answer", os.path.realpath(_path))
answers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(answers)

LONGEST = 4000
# Another run was faster than our edit (see check_config.py), or somebody's save was written over it.
OVERTAKEN = ("edit_conflict", "edit_overwritten")


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset()

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        failed = (task_vars or {}).get("ansible_failed_result")
        error = find_error(failed if isinstance(failed, dict) else {})
        return {"changed": False, "overtaken": error["code"] in OVERTAKEN, **error}


def find_error(failed):
    known = failed.get("firebreak_error")
    if not isinstance(known, dict):  # no plugin of ours failed, but Ansible itself
        known = answers.explain_failure(failed)["firebreak_error"]
    return {"code": str(known.get("code")), "message": answers.clean(known.get("message"), LONGEST)}
