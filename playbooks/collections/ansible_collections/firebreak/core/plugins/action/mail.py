"""Mails a failure with community.general.mail, for runs without the launcher, which sends its own mail.

The collection may be missing, and a playbook that named its module would then not even start.
"""

from __future__ import annotations

import re

from ansible.plugins.action import ActionBase

MAILER = "community.general.mail"


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("host", "port", "from", "to"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        if self._task.check_mode:
            return {"changed": False, "skipped": True, "msg": "a dry run sends no mail"}
        if not self._shared_loader_obj.module_loader.find_plugin_with_context(MAILER).resolved:
            return {"changed": False, "msg": "report_to is set, but %s is not installed: no mail was sent" % MAILER}
        letter = compose_mail(task_vars["inventory_hostname"], task_vars.get("ansible_failed_result") or {})
        args = dict(self._task.args, **letter)
        sent = self._execute_module(module_name=MAILER, module_args=args, task_vars=task_vars)
        if sent.get("failed"):  # not a failure of its own: the failure of the block is still to be reported
            server = "%s:%s" % (self._task.args["host"], self._task.args["port"])
            return {"changed": False, "msg": "%s did not accept the mail: %s" % (server, find_reason(sent))}
        return {"changed": False, "msg": "mail sent to %s" % self._task.args["to"]}


def find_reason(failed):
    """The error's own text, which each Ansible version puts in another place."""
    output = "\n".join(str(failed.get(key) or "") for key in ("msg", "module_stderr", "exception"))
    reasons = re.findall(r"\[Errno -?\d+\] [^\n\\'\"]+|\bSMTP\w+: [^\n\\]+", output)
    return reasons[-1].strip() if reasons else " ".join(output.split())[:200] or "no reason given"


def compose_mail(host, failed):
    known = failed.get("firebreak_error") or {}
    code = known.get("code") or "task_failed"
    message = known.get("message") or failed.get("msg") or "a task failed without a message"
    body = "Firewall: %s\nWhy: %s\n\ndocs/pfsense.md explains what to do about %s.\n" % (host, message, code)
    return {"subject": "Firebreak: %s: %s" % (host, code), "body": body}
