#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: command
short_description: Runs one shell command on the firewall and checks its output
description:
  - Needs no Python on the firewall.
  - Returns the output as one line of printable ASCII without braces. Output that does not match C(expects) as a whole is
    refused, because a compromised firewall could print anything.
options:
  command:
    description: The command, run by C(/bin/sh).
    required: true
    type: str
  expects:
    description: A regular expression of Python that the whole output must match.
    required: true
    type: str
author: Firebreak
"""

EXAMPLES = """
- name: Read the firewall's clock
  firebreak.core.command:
    command: /bin/date +%s
    expects: "[0-9]{1,12}"
  changed_when: false
"""

RETURN = """
output:
  description: The checked output; empty on a failure.
  returned: always
  type: str
firebreak_error:
  description: The error's C(code) and C(message).
  returned: failure
  type: dict
"""
