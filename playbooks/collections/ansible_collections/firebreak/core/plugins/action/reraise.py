"""Re-raises the failure that a rescue handles, so that the rescue can act and the failure stays one."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers

MAX_MESSAGE = 4000  # the message may list many flows


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset()

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        failed = (task_vars or {}).get("ansible_failed_result") or {}
        known = failed.get("firebreak_error")
        if not isinstance(known, dict):  # not one of our plugins failed, but Ansible itself
            return answers.explain_failure(failed)
        return answers.fail(str(known.get("code")), answers.clean(known.get("message"), MAX_MESSAGE))
