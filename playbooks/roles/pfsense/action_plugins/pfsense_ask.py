"""Runs one command of a shell on the firewall, without Python there, and hands on a short, clean text of what it said.

As ansible.builtin.raw, whose answer would hold whatever the firewall writes; an answer that the expression in
`expects` does not match as a whole is none.
"""

from __future__ import annotations

import importlib.util
import os
import re

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

LONGEST = 600


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("command", "expects"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return remote.guarded(self._ask)

    def _ask(self):
        ended = self._low_level_execute_command(self._task.args["command"], executable="/bin/sh")
        said = answers.clean(ended.get("stdout") or "", LONGEST)
        if ended.get("rc") == 0:
            if not re.fullmatch(self._task.args["expects"], said):
                return dict(answers.fail("answer_invalid", answers.INVALID), said="")
            return {"changed": False, "said": said}
        errors = answers.clean(ended.get("stderr") or ended.get("msg") or "", LONGEST)
        code, sentence = answers.recognize({"msg": errors + said})
        return dict(answers.fail(code or "command_failed", sentence or errors or said or "it said nothing"), said="")
