#!/usr/bin/python
"""Runs, on the firewall, the code that the controller sends along, and prints its result."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
module: run_module
short_description: Runs one of Firebreak's modules without AnsibleModule
description:
  - Not for tasks. The action plugins of a platform's modules call it (C(plugin_utils/remote.py)) to run a module on the
    firewall without the code that an ordinary Ansible module brings along.
options:
  packed:
    description: The module's source, the source that it imports, and its arguments, as compressed JSON in Base64.
    required: true
    type: str
author: Firebreak
"""

EXAMPLES = """
- name: Run a module (only an action plugin does this)
  firebreak.core.run_module:
    packed: "{{ packed_call }}"
"""

RETURN = """
firebreak_error:
  description: If the module failed, the error's C(code) and C(message). Other values are the module's own.
  returned: failure
  type: dict
"""

import base64
import json
import sys
import types
import zlib

# Ansible puts the arguments here, which makes this a module with JSON arguments.
CALL = json.loads(r'''<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>''')


def load(name, source):
    code = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name + ".py", "exec"), code.__dict__)
    return code


def main():
    packed = json.loads(zlib.decompress(base64.b64decode(CALL["packed"])).decode("utf-8"))
    for name, source in packed["code"]:
        code = load(name, source)
    print(json.dumps(code.run(packed["arguments"], CALL["_ansible_check_mode"], CALL["_ansible_diff"])))


main()
