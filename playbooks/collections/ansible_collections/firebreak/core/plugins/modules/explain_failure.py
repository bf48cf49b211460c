#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: explain_failure
short_description: Identifies the failure that a rescue handles
description:
  - Reads C(ansible_failed_result) without templating, which would evaluate what the text of an error holds.
options: {}
author: Firebreak
"""

EXAMPLES = """
- name: Identify the failure
  firebreak.core.explain_failure:
  register: failure
"""

RETURN = """
code:
  description: The error code, from the table in docs/pfsense.md.
  returned: always
  type: str
message:
  description: One sentence about the error.
  returned: always
  type: str
overtaken:
  description: Whether another edit of the same file was the cause, so that a retry can succeed.
  returned: always
  type: bool
"""
