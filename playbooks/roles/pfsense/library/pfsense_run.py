#!/usr/bin/python
"""Runs, on the firewall, the code that the controller sends along, and prints its result."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: pfsense_run
short_description: Runs one of this role's modules without AnsibleModule
description:
  - Not for tasks. The action plugins of C(pfsense_probe), C(pfsense_load) and C(pfsense_status) call it, see
    C(plugin_utils/firebreak_remote.py).
options:
  packed:
    description: The module's source, those that it imports, and its arguments, as compressed JSON.
    required: true
    type: str
author: Firebreak
"""

import base64
import json
import sys
import types
import zlib

# Ansible puts the arguments here: this makes it a module with JSON arguments.
CALL = json.loads(r'''<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>''')


def load(name, source):
    code = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name + ".py", "exec"), code.__dict__)
    return code


def main():
    packed = json.loads(zlib.decompress(base64.b64decode(CALL["packed"])).decode("utf-8"))
    for package in ("ansible", "ansible.module_utils"):
        sys.modules[package] = types.ModuleType(package)
    for name, source in packed["code"]:
        code = load(name, source)
    print(json.dumps(code.run(packed["arguments"], CALL["_ansible_check_mode"], CALL["_ansible_diff"])))


main()
