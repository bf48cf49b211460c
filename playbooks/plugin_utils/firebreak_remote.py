"""Runs a module of ours on a firewall, with our own code and nothing else.

An ordinary module brings Ansible's AnsibleModule along: 470 KB of Python that the firewall compiles each time, which
takes 0.2 s on a server, more on a firewall's processor, and longer than the work. Here the arguments are checked on the
controller, by what the module's DOCUMENTATION says of them, and only what the module imports is sent along.
"""

from __future__ import annotations

import ast
import base64
import importlib.util
import json
import os
import re
import zlib

import yaml
from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

_path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "firebreak_answer.py")
_spec = importlib.util.spec_from_file_location("firebreak_answer", _path)
answers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(answers)

IMPORT = re.compile(r"^from ansible\.module_utils\.(\w+) import", re.MULTILINE)


def guarded(work):
    """Runs an action's work. Whatever goes wrong in it becomes a result of ours: the text of an error may hold what a
    firewall said, and Ansible would hand it on as it is. Only a firewall that is not reached stays Ansible's matter."""
    try:
        return work()
    except AnsibleConnectionFailure:
        raise
    except Exception as error:  # of any kind: an answer nested too deep ends as a RecursionError
        code, sentence = answers.recognize({"msg": str(error)})
        return answers.fail(code or "answer_invalid", sentence or answers.INVALID)


def run_module(action, role, name, arguments, task_vars, shape):
    """The answer of a role's module, `run(arguments, check_mode, diff)` in library/NAME.py, as the shape rebuilds it.

    A failure has one of the codes that the module's own source knows, one of KNOWN, or is `answer_invalid`.
    """
    source = read(role, "library", name)
    checked = ArgumentSpecValidator(read_specification(source)).validate(arguments)
    if checked.error_messages:
        return answers.fail("task_failed", "%s: %s" % (name, "; ".join(checked.error_messages)))
    code = collect_imports(role, source) + [(name, source)]
    call = json.dumps({"code": code, "arguments": checked.validated_parameters})
    # Packed, so that no text in it can look like one of the marks that Ansible replaces in a module.
    packed = base64.b64encode(zlib.compress(call.encode())).decode()
    answer = action._execute_module(module_name="pfsense_run", module_args={"packed": packed}, task_vars=task_vars)
    return answers.read_answer(answer, shape, find_codes(code))


def find_codes(code):
    """The codes with which our own source refuses."""
    return {each for _, source in code for each in re.findall(r'Refusal\(\s*"([a-z_]+)"', source)}


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
