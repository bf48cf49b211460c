"""Makes one flow of the words an operator (or an alarm) gives on the command line.

The words are read as they stand in the variables and are never templated: `-e` would run what an alarm's text holds.
"""

from __future__ import annotations

import importlib.util
import os

from ansible.plugins.action import ActionBase

_path = os.path.join(os.path.dirname(__file__), os.pardir, "plugin_utils", "firebreak_flow.py")
_spec = importlib.util.spec_from_file_location("firebreak_flow", os.path.realpath(_path))
flows = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(flows)

# The variable's name for the operator, and the flow's field.
NAMES = {
    "sourceip": "source",
    "destinationip": "destination",
    "destinationport": "port",
    "interface": "interface",
    "type": "type",
    "ipproto": "ipprotocol",
    "protocol": "protocol",
    "description": "description",
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset()

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        raw = {field: task_vars[name] for name, field in NAMES.items() if name in task_vars}
        try:
            flow = flows.canonical_flow(raw)
        except flows.FlowError as error:
            message = in_their_words(str(error))
            return {"failed": True, "msg": message, "firebreak_error": {"code": "flow_invalid", "message": message}}
        return {"changed": False, "flow": flow, "msg": flows.show(flow)}


def in_their_words(message):
    """The sentence names the variable that was given, not the field it became."""
    for name, field in NAMES.items():
        if message.startswith((field + ":", field + " ")):
            return name + message[len(field) :]
    return message
