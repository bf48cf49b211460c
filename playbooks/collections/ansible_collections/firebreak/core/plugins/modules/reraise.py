#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: reraise
short_description: Fails with the failure that a rescue handles
description:
  - For the end of a rescue that acts on a failure and does not handle it.
options: {}
author: Firebreak
"""

EXAMPLES = """
- name: Re-raise the failure
  firebreak.core.reraise:
"""

RETURN = """
firebreak_error:
  description: The error's C(code) and C(message).
  returned: always
  type: dict
"""
