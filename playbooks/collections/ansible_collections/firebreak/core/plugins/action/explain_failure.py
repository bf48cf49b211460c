"""Reports which failure a rescue handles, as one of our codes and a sentence, and whether a retry can help.

Reads the failed result without templating: a template would evaluate the text of Ansible's own errors.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers

MAX_MESSAGE = 4000
# Another run edited first, or a save in the firewall's web pages overwrote the edit.
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
    if not isinstance(known, dict):  # not one of our plugins failed, but Ansible itself
        known = answers.explain_failure(failed)["firebreak_error"]
    return {"code": str(known.get("code")), "message": answers.clean(known.get("message"), MAX_MESSAGE)}
