"""Runs one of our modules on a firewall without Ansible's AnsibleModule.

An ordinary module brings AnsibleModule along: 470 KB of Python that the firewall compiles at each call. That takes 0.2 s
on a server, more on a firewall's processor, and longer than the work itself. Here the controller checks the arguments
against the module's DOCUMENTATION, and sends only the module and what it imports.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import zlib

import yaml
from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.firebreak.core.plugins.plugin_utils import answers

# What a module may import: code that all platforms share, and code of its own role.
SHARED = "ansible_collections.firebreak.core.plugins.module_utils."
OF_ROLE = "ansible.module_utils."
IMPORT = re.compile(r"^from (%s|%s)(\w+) import" % (re.escape(SHARED), re.escape(OF_ROLE)), re.MULTILINE)
SHARED_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "module_utils")


def guarded(work):
    """Runs an action's work and turns every error in it into a result of ours: the text of an error may hold what a
    firewall sent, and Ansible would pass it on unchanged. Only an unreachable firewall is left to Ansible."""
    try:
        return work()
    except AnsibleConnectionFailure:
        raise
    except Exception as error:  # any kind: an answer that is nested too deep ends as a RecursionError
        code, sentence = answers.recognize({"msg": str(error)})
        return answers.fail(code or "answer_invalid", sentence or answers.INVALID)


def run_module(action, role, name, arguments, task_vars, shape):
    """The answer of a role's module, `run(arguments, check_mode, diff)` in library/NAME.py, as the shape rebuilds it.

    A failure has one of the codes in the module's own source, one of KNOWN, or `answer_invalid`.
    """
    source = read(os.path.join(role, "library"), name)
    checked = ArgumentSpecValidator(read_specification(source)).validate(arguments)
    if checked.error_messages:
        return answers.fail("task_failed", "%s: %s" % (name, "; ".join(checked.error_messages)))
    code = collect_imports(role, source) + [(name, source)]
    call = json.dumps({"code": code, "arguments": checked.validated_parameters})
    # Packed, so that no text in it can look like one of the placeholders that Ansible replaces in a module.
    packed = base64.b64encode(zlib.compress(call.encode())).decode()
    answer = action._execute_module(
        module_name="firebreak.core.run_module", module_args={"packed": packed}, task_vars=task_vars
    )
    return answers.read_answer(answer, shape, find_codes(code))


def find_codes(code):
    """The error codes in our own source."""
    return {each for _, source in code for each in re.findall(r'Refusal\(\s*"([a-z_]+)"', source)}


def read_specification(source):
    """The options of DOCUMENTATION without their descriptions."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "DOCUMENTATION":
            options = yaml.safe_load(ast.literal_eval(statement.value))["options"]
            return {
                name: {key: value for key, value in option.items() if key != "description"}
                for name, option in options.items()
            }
    raise ValueError("the module has no DOCUMENTATION")


def collect_imports(role, source):
    """(name, source) of all code of ours that a source imports, each after the code that it imports itself."""
    found = {}
    for package, name in IMPORT.findall(source):
        folder = SHARED_FOLDER if package == SHARED else os.path.join(role, "module_utils")
        imported = read(folder, name)
        found.update(collect_imports(role, imported))
        found[package + name] = imported
    return list(found.items())


def read(folder, name):
    with open(os.path.join(folder, name + ".py"), encoding="utf-8") as file:
        return file.read()
