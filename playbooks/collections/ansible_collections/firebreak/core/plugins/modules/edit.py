#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: edit
short_description: Edits a file on the firewall and returns only whether it changed
description:
  - Runs C(ansible.builtin.replace) and then C(ansible.builtin.lineinfile), if they are given. Everything else in the
    modules' answers, such as facts, is dropped, because a compromised firewall could answer anything.
options:
  replace:
    description: Arguments of C(ansible.builtin.replace), which does not run if C(regexp) is empty.
    type: dict
  lineinfile:
    description: Arguments of C(ansible.builtin.lineinfile), which does not run if C(line) is empty.
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
replaced:
  description: Whether C(replace) changed the file.
  returned: success
  type: bool
inserted:
  description: Whether C(lineinfile) changed the file.
  returned: success
  type: bool
firebreak_error:
  description: The error's C(code) and C(message).
  returned: failure
  type: dict
"""
