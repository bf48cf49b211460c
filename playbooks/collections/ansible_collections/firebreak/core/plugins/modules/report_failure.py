#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: report_failure
short_description: Fails with one sentence and one error code
description:
  - The first of C(refused), C(changed_by_hand) and C(failure) that is not empty decides.
options:
  refused:
    description: Flows that the firewall refused, each with C(code) and C(message).
    type: list
    elements: dict
  changed_by_hand:
    description: Trackers of rules that were changed by hand.
    type: list
    elements: int
  failure:
    description: The result of C(firebreak.core.explain_failure).
    type: dict
  rollback:
    description: The result of the task that removed this run's rules again.
    type: dict
  rollback_load:
    description: The result of the reload after that.
    type: dict
author: Firebreak
"""

EXAMPLES = """
- name: Report the failure
  firebreak.core.report_failure:
    failure: "{{ failure }}"
"""

RETURN = """
firebreak_error:
  description: The error's C(code) and C(message).
  returned: always
  type: dict
"""
