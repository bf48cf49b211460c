"""Ends a run with one sentence and one code of the documented table, whatever the failed task said."""

from __future__ import annotations

import re

from ansible.plugins.action import ActionBase

# What a failed task may say, in the order in which it is looked for: pattern, code, sentence.
KNOWN = (
    (
        r"Missing \w+ password|a password is required|Incorrect \w+ password|is not in the sudoers",
        "become_failed",
        "sudo does not let the login become root: give its password (become_password_file), or let it do without",
    ),
    (r"failed to validate: rc:3 ", "edit_conflict", "other runs kept changing the same rules: try again"),
    (r"No space left on device|Errno 28|ENOSPC", "disk_full", "no space is left on the firewall's disk"),
    (
        r"Read-only file system|Permission denied|Operation not permitted",
        "config_unwritable",
        "the configuration may not be written",
    ),
    (
        r"[Ii]nterpreter.*not found|python[0-9.]*: (?:not found|No such file)",
        "python_missing",
        "the firewall has no Python where ansible_python_interpreter says",
    ),
    (r"lockf: .*already locked", "lock_timeout", "pfSense's configuration lock stayed taken"),
    # The probe has run by then, with the same Python: what the shell does not find is what stands before it.
    (r"(\S+): (?:command )?not found", "lock_missing", r"\1 is not on the firewall (see pfsense_lock_command)"),
)
# What Ansible says of a module that died, before it says what the module said.
ANSIBLES_OWN_WORDS = r"MODULE FAILURE|See stdout/stderr|Module result deserialization failed|Module failed: "
LOCK_TAKEN = 75  # lockf's exit status when its time is up


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("refused", "changed_by_hand", "undo", "undo_load"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = self._task.args
        if args.get("refused"):
            code, message = args["refused"][0]["code"], "; ".join(each["message"] for each in args["refused"])
        elif args.get("changed_by_hand"):
            code = "changed_by_hand"
            message = "changed by hand and left so (firebreak_fix rewrites or removes them): " + ", ".join(
                str(tracker) for tracker in args["changed_by_hand"]
            )
        else:
            code, message = explain(task_vars.get("ansible_failed_result") or {})
            message += say_undone(args.get("undo") or {}, args.get("undo_load") or {})
        return {"failed": True, "msg": message, "firebreak_error": {"code": str(code), "message": message}}


def explain(result):
    known = result.get("firebreak_error")
    if known:
        return known["code"], known["message"]
    if result.get("rc") == LOCK_TAKEN:
        return "lock_timeout", "pfSense's configuration lock stayed taken"
    said = "\n".join(str(result.get(key) or "") for key in ("msg", "module_stderr", "module_stdout", "exception"))
    for pattern, code, sentence in KNOWN:
        match = re.search(pattern, said)
        if match:
            return code, match.expand(sentence)
    refused = re.search(r"failed to validate: rc:\d+ error:(.*)", said)
    if refused:
        return "edit_refused", "the edit was not put in place: %s" % (refused.group(1).strip() or "the check failed")
    lines = [line.strip() for line in said.splitlines() if line.strip() and not re.match(ANSIBLES_OWN_WORDS, line)]
    return "task_failed", lines[0][:500] if lines else "a task failed and said nothing"


def say_undone(undo, undo_load):
    if not undo or undo.get("skipped"):  # nothing had been added
        return ""
    if not undo.get("changed") and undo.get("msg"):  # with nothing to take out, it says nothing
        return "; and our rules could not be taken out of the configuration again: %s" % undo["msg"]
    if undo_load.get("proven"):
        return "; our rules were taken out again, and pf runs without them"
    return "; our rules were taken out of the configuration again, but pf did not confirm it: %s" % (
        undo_load.get("msg") or "unknown"
    )
