"""Runs a module of ours on a firewall, with our own code and nothing else.

An ordinary module brings Ansible's AnsibleModule along: 470 KB of Python that the firewall compiles each time, which
takes 0.2 s on a server, more on a firewall's processor, and longer than the work. Here the arguments are checked on the
controller, by what the module's DOCUMENTATION says of them, and only what the module imports is sent along.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import zlib

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

IMPORT = re.compile(r"^from ansible\.module_utils\.(\w+) import", re.MULTILINE)


def run_module(action, role, name, arguments, task_vars):
    """The result of a role's module, `run(arguments, check_mode, diff)` in library/NAME.py, as a dictionary."""
    source = read(role, "library", name)
    checked = ArgumentSpecValidator(read_specification(source)).validate(arguments)
    if checked.error_messages:
        return {"failed": True, "msg": "%s: %s" % (name, "; ".join(checked.error_messages))}
    code = collect_imports(role, source) + [(name, source)]
    call = json.dumps({"code": code, "arguments": checked.validated_parameters})
    # Packed, so that no text in it can look like one of the marks that Ansible replaces in a module.
    packed = base64.b64encode(zlib.compress(call.encode())).decode()
    return action._execute_module(module_name="pfsense_run", module_args={"packed": packed}, task_vars=task_vars)


def read_specification(source):
    """What DOCUMENTATION says of the options, without the words."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "DOCUMENTATION":
            options = yaml.safe_load(ast.literal_eval(statement.value))["options"]
            return {
                name: {key: value for key, value in option.items() if key != "description"}
                for name, option in options.items()
            }
    raise ValueError("the module has no DOCUMENTATION")


def collect_imports(role, source):
    """(name, source) of the role's own module_utils that a source imports, each after those that it imports itself."""
    found = {}
    for name in IMPORT.findall(source):
        imported = read(role, "module_utils", name)
        found.update(collect_imports(role, imported))
        found["ansible.module_utils." + name] = imported
    return list(found.items())


def read(role, folder, name):
    with open(os.path.join(role, folder, name + ".py"), encoding="utf-8") as file:
        return file.read()
