"""Runs one shell command on the firewall without Python there, and returns its output as one short, clean line.

ansible.builtin.raw would pass on whatever the firewall writes. Here, output that `expects` does not match as a whole is
refused.
"""

from __future__ import annotations

import re

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, remote

MAX_OUTPUT = 600


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("command", "expects"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(self._run_command)

    def _run_command(self):
        ended = self._low_level_execute_command(self._task.args["command"], executable="/bin/sh")
        output = answers.clean(ended.get("stdout") or "", MAX_OUTPUT)
        if ended.get("rc") == 0:
            if not re.fullmatch(self._task.args["expects"], output):
                return dict(answers.fail("answer_invalid", answers.INVALID), output="")
            return {"changed": False, "output": output}
        errors = answers.clean(ended.get("stderr") or ended.get("msg") or "", MAX_OUTPUT)
        code, sentence = answers.recognize({"msg": errors + output})
        message = sentence or errors or output or "the command printed nothing"
        return dict(answers.fail(code or "command_failed", message), output="")
