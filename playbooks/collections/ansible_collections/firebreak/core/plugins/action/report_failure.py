"""Fails with one sentence and one code of the documented table."""

from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("refused", "changed_by_hand", "failure", "rollback", "rollback_load"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = self._task.args
        if args.get("refused"):
            code, message = args["refused"][0]["code"], "; ".join(each["message"] for each in args["refused"])
        elif args.get("changed_by_hand"):
            code = "changed_by_hand"
            message = "changed by hand and left unchanged (firebreak_fix rewrites or removes them): " + ", ".join(
                str(tracker) for tracker in args["changed_by_hand"]
            )
        else:
            code, message = args["failure"]["code"], args["failure"]["message"]
            message += describe_rollback(args.get("rollback") or {}, args.get("rollback_load") or {})
        return {"failed": True, "msg": message, "firebreak_error": {"code": str(code), "message": message}}


def describe_rollback(rollback, rollback_load):
    if not rollback or rollback.get("skipped"):  # nothing had been added
        return ""
    if not rollback.get("changed") and rollback.get("msg"):  # if nothing was left to remove, there is no message
        return "; and this run's rules could not be removed from the configuration again: %s" % rollback["msg"]
    if rollback_load.get("proven"):
        return "; this run's rules were removed again, and pf runs without them"
    return "; this run's rules were removed from the configuration again, but pf did not confirm it: %s" % (
        rollback_load.get("msg") or "unknown"
    )
