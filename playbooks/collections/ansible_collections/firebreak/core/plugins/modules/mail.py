#!/usr/bin/python
"""Documents the action plugin of the same name, which runs on the controller: there is no module for the firewall."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: mail
short_description: Mails the failure that a rescue handles
description:
  - Uses C(community.general.mail) on the controller. If that collection is not installed, or the mail server refuses the
    mail, the task says so and does not fail.
  - Sends nothing in check mode.
options:
  host:
    description: Host name of the mail server.
    required: true
    type: str
  port:
    description: Port of the mail server.
    required: true
    type: int
  from:
    description: Address of the sender.
    required: true
    type: str
  to:
    description: Addresses of the recipients.
    required: true
    type: str
author: Firebreak
"""

EXAMPLES = """
- name: Mail the failure
  firebreak.core.mail:
    host: localhost
    port: 25
    from: firebreak@example.org
    to: soc@example.org
  delegate_to: localhost
"""

RETURN = """
msg:
  description: To whom the mail was sent, or why it was not sent.
  returned: always
  type: str
"""
