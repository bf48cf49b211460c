"""The Python of a firewall that somebody took over: runs what it is given, and then answers what he wants.

Takes the place of ansible_python_interpreter. Reads from the file beside it how to answer, and what to have run on the
host that asks: {"mode": ..., "canary": PATH}.
"""

import json
import os
import subprocess
import sys

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile.json")) as file:
    SETTING = json.load(file)
MODE = SETTING["mode"]
TEMPLATE = "{{ lookup('pipe', 'touch %s') }}" % SETTING["canary"]
MORE = {
    "ansible_facts": {"report_to": TEMPLATE, "pfsense_reload_command": TEMPLATE, "firebreak_platform": TEMPLATE},
    "ansible_stats": {"data": {"firebreak": {"added": [TEMPLATE], "proven": True}}, "per_host": True, "aggregate": True},
    "add_host": {"host_name": TEMPLATE, "groups": ["firewalls"], "host_vars": {"ansible_connection": "local"}},
    "add_group": TEMPLATE,
    "ansible_python_interpreter": TEMPLATE,
    "_ansible_verbose_always": True,
    "_ansible_suppress_tmpdir_delete": True,
    "_ansible_ignore_errors": True,
    "_ansible_no_log": False,
    "warnings": [TEMPLATE],
    "deprecations": [{"msg": TEMPLATE, "version": TEMPLATE}],
    "exception": TEMPLATE,
    "diff": [{"before": TEMPLATE, "after": TEMPLATE}],
    "invocation": {"module_args": TEMPLATE},
}


def poison(value):
    """The template in each place that can hold a text, and one item more in each list."""
    if isinstance(value, dict):
        return {key: poison(each) for key, each in value.items()}
    if isinstance(value, list):
        return [poison(each) for each in value] + [TEMPLATE]
    return value if isinstance(value, bool) else TEMPLATE


def answer(true):
    if MODE == "templates":
        return json.dumps(poison(true))
    if MODE == "keys":
        return json.dumps(dict(true, **MORE))
    if MODE == "failed":
        error = {"code": TEMPLATE, "message": TEMPLATE}
        return json.dumps(dict(MORE, failed=True, msg=TEMPLATE, stdout=TEMPLATE, firebreak_error=error))
    if MODE == "known code":
        error = {"code": "config_malformed", "message": "\x1b[2J\u202e" + TEMPLATE}
        return json.dumps({"failed": True, "msg": TEMPLATE, "firebreak_error": error})
    if MODE == "networks":
        return json.dumps(dict(true, addresses=["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]))
    if MODE == "deep":
        return '{"missing":' + "[" * 100000 + "]" * 100000 + "}"
    if MODE == "no JSON":
        return "\x1b]0;" + TEMPLATE + "\x07" + TEMPLATE
    if MODE == "traceback":
        sys.stderr.write("Traceback (most recent call last):\nKeyError: %s\n" % TEMPLATE)
        sys.exit(1)
    if MODE == "endless":
        for _ in range(300):
            sys.stdout.write("x" * 1000000)
        return ""
    raise ValueError(MODE)


if "-c" in sys.argv:  # the doctor asks for the version
    print(TEMPLATE + "\x1b[2J")
    sys.exit(0)
ended = subprocess.run([sys.executable] + sys.argv[1:], stdin=sys.stdin, stdout=subprocess.PIPE)
try:
    print(answer(json.loads(ended.stdout.decode())))
except ValueError:
    print(answer({"changed": True}))
