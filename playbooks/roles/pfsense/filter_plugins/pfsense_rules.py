"""Writes the rules of a batch from templates/rules.xml.j2.

It uses Jinja itself instead of Ansible's templating, which searches every value for templates: that took seconds for ten
thousand rules, and there is nothing to evaluate here.
"""

from __future__ import annotations

import json
import os
import time

from jinja2 import Environment, StrictUndefined

TEMPLATE = os.path.join(os.path.dirname(__file__), os.pardir, "templates", "rules.xml.j2")


def rules_xml(flows):
    """The rules of these flows (a list as JSON), without the last newline. Every value is escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined)
    with open(TEMPLATE, encoding="utf-8") as file:
        template = environment.from_string(file.read())
    return template.render(flows=json.loads(flows), now=int(time.time())).rstrip()


class FilterModule:
    def filters(self):
        return {"pfsense_rules_xml": rules_xml}
