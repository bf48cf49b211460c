"""Ends a run with one sentence and one code of the documented table."""

from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("refused", "changed_by_hand", "failure", "undo", "undo_load"))

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
            code, message = args["failure"]["code"], args["failure"]["message"]
            message += say_undone(args.get("undo") or {}, args.get("undo_load") or {})
        return {"failed": True, "msg": message, "firebreak_error": {"code": str(code), "message": message}}


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
