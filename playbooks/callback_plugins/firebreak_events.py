"""Writes the events of a run as JSON lines to the file that FIREBREAK_EVENTS names.

The file is separate from stdout, which may be coloured or filtered, and is incomplete if a run is killed. Each line is
written as the event happens, so the record of a killed run is correct up to that point.
"""

from __future__ import annotations

DOCUMENTATION = """
name: firebreak_events
type: aggregate
short_description: Writes the events of a run as JSON lines
description:
  - Appends one JSON object per line to the file that the environment variable C(FIREBREAK_EVENTS) names. Without the
    variable it does nothing.
  - Of a result it records only the status, the message and C(firebreak_error).
requirements:
  - enable in configuration
"""

import datetime
import json
import os

from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

MAX_MESSAGE = 4000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "firebreak_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        path = os.environ.get("FIREBREAK_EVENTS")
        self._file = None
        if path:
            # Close-on-exec, so that neither a worker's programs nor the SSH master hold the file open.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._file = os.open(path, flags, 0o600)

    def _write(self, event, **fields):
        if self._file is None:
            return
        line = {"event": event, **fields, "at": datetime.datetime.now(datetime.timezone.utc).isoformat()}
        # One write per line, so that neither a reader nor a kill sees half a line.
        os.write(self._file, json.dumps(line, default=str).encode() + b"\n")

    def v2_playbook_on_start(self, playbook):
        self._write("start", run=os.environ.get("FIREBREAK_RUN_ID"), ansible=ansible_version)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._write("task", task=task.get_name())

    def v2_playbook_on_handler_task_start(self, task):
        self._write("task", task=task.get_name())

    def v2_runner_on_ok(self, result):
        self._write_result(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write_result(result, "failed", bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self._write_result(result, "unreachable")

    def v2_runner_on_skipped(self, result):
        self._write_result(result, "skipped")

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in stats.processed}
        custom = {host: values for host, values in stats.custom.items() if host != "_run"}
        self._write("stats", hosts=hosts, custom=custom)

    def _write_result(self, result, status, ignored=False):
        hidden = result._task.no_log or result._result.get("_ansible_no_log")
        message = None if hidden else result._result.get("msg")
        self._write(
            "result",
            host=result._host.get_name(),
            task=result._task.get_name(),
            status=status,
            ignored=ignored,
            msg="hidden by no_log" if hidden else cut(message),
            error=None if hidden else known_error(result._result.get("firebreak_error")),
        )


def cut(message):
    if message is None:
        return None
    return str(message)[:MAX_MESSAGE]


def known_error(error):
    """Only the two documented fields."""
    if not isinstance(error, dict):
        return None
    return {"code": str(error.get("code")), "message": cut(error.get("message"))}
