"""Makes one checked flow of the variables that an operator (or an alarm) gives on the command line.

The variables are read without templating: Ansible would evaluate what an alarm's text holds.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.firebreak.core.plugins.plugin_utils import answers, flows

# The operator's variable, and the flow's field.
FIELD_OF = {
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
        raw = {field: task_vars[name] for name, field in FIELD_OF.items() if name in task_vars}
        try:
            flow = flows.canonical_flow(raw)
        except flows.FlowError as error:
            return answers.fail("flow_invalid", name_variable(str(error)))
        return {"changed": False, "flow": flow, "msg": flows.show(flow)}


def name_variable(message):
    """The sentence names the variable that was given instead of the field that it became."""
    for name, field in FIELD_OF.items():
        if message.startswith((field + ":", field + " ")):
            return name + message[len(field) :]
    return message
