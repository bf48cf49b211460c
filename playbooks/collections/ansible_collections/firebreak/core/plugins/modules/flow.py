#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: flow
short_description: Makes one checked flow of an alarm's variables
description:
  - Reads the variables C(sourceip), C(destinationip), C(destinationport), C(interface), C(type), C(ipproto), C(protocol)
    and C(description) without templating, because they may hold an alarm's text. A template in one of them is refused.
options: {}
author: Firebreak
"""

EXAMPLES = """
- name: Check the flow's variables without evaluating them
  firebreak.core.flow:
  register: firebreak_flow
"""

RETURN = """
flow:
  description:
    - The canonical form of the flow, with its C(tracker).
    - Its fields are those of an item of C(firebreak_present).
  returned: success
  type: dict
firebreak_error:
  description: The code C(flow_invalid) and a sentence that names the variable at fault.
  returned: failure
  type: dict
"""
