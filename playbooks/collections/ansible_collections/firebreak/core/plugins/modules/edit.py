#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: edit
short_description: Edits a file on the firewall and returns only whether it changed
description:
  - Runs C(ansible.builtin.lineinfile) or C(ansible.builtin.replace), whichever is given. Everything else in the module's
    answer, such as facts, is dropped, because a compromised firewall could answer anything.
options:
  lineinfile:
    description: Arguments of C(ansible.builtin.lineinfile). Exclusive with C(replace).
    type: dict
  replace:
    description: Arguments of C(ansible.builtin.replace). Exclusive with C(lineinfile).
    type: dict
author: Firebreak
"""

EXAMPLES = """
- name: Remove a line
  firebreak.core.edit:
    replace:
      path: /usr/local/etc/example.conf
      regexp: '^example\\n'
"""

RETURN = """
firebreak_error:
  description: The error's C(code) and C(message).
  returned: failure
  type: dict
"""
