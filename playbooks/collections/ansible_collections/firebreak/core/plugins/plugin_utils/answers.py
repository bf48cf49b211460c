"""Checks what a firewall answers as strictly as what an alarm says.

Whoever has compromised a firewall writes its answers. Each answer is therefore compared with a shape and rebuilt from
the fields that the shape names: everything else is dropped, and a text keeps only characters that no template, terminal
or log interprets. An answer of another shape becomes one fixed sentence that repeats nothing of the answer.
"""

from __future__ import annotations

import ipaddress
import re

# What a failed call can report, in the order of the search: pattern, code, sentence.
KNOWN = (
    (
        r"Missing \w+ password|a password is required|Incorrect \w+ password|is not in the sudoers",
        "become_failed",
        "sudo does not let the login become root: set its password (become_password_file), or allow sudo without one",
    ),
    (r"failed to validate: rc:3 ", "edit_conflict", "other runs changed the same rules repeatedly: retry"),
    (r"No space left on device|Errno 28|ENOSPC", "disk_full", "no space is left on the firewall's disk"),
    (
        r"Read-only file system|Permission denied|Operation not permitted",
        "config_unwritable",
        "the configuration may not be written",
    ),
    (
        r"[Ii]nterpreter.{0,200}not found|python[0-9.]{0,9}: (?:not found|No such file)",
        "python_missing",
        "the firewall has no Python where ansible_python_interpreter says",
    ),
    (r"lockf: .{0,200}already locked", "lock_timeout", "pfSense's configuration lock stayed taken"),
    # The probe has already run with the same Python, so what the shell does not find is the command in front of it.
    (
        r"([\w./-]{1,100}): (?:command )?not found",
        "lock_missing",
        r"\1 is not on the firewall (see pfsense_lock_command)",
    ),
)
# What Ansible prints about a module that crashed, before the module's own output.
ANSIBLE_PREFIXES = r"MODULE FAILURE|See stdout/stderr|Module result deserialization failed|Module failed: "
LOCKF_TIMEOUT = 75  # lockf's exit status when it did not get the lock in time

MAX_SEARCHED = 100000  # characters of a failed call that are searched
MAX_MESSAGE = 600
MAX_ADDRESSES = 256  # a firewall's own addresses
MAX_INTERFACES = 256
MAX_NETWORKS = 256  # networks behind its interfaces
MAX_PROOF = 300  # why a rule that stands may not be the one that decides

INVALID = "the firewall did not answer as this role's modules do; nothing of its answer was used"


class AnswerError(ValueError):
    """An answer of another shape. It carries no text: nothing of the answer may leave this file unchecked."""


def clean(text, max_length=MAX_MESSAGE):
    """One line of printable ASCII without braces, cut to a length."""
    text = re.sub(r"[^\x20-\x7e]+", " ", str(text)[: 4 * max_length])
    text = text.replace("{", "(").replace("}", ")")
    return re.sub(r" +", " ", text).strip()[:max_length]


# ---- shapes: each takes a value and returns it as checked, or raises AnswerError ----


def boolean(value):
    if not isinstance(value, bool):
        raise AnswerError()
    return bool(value)


def number(minimum, maximum):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            raise AnswerError()
        return int(value)

    return check


def text(max_length):
    """Any text. A longer one is cut and not refused, since a person may have written it."""

    def check(value):
        if not isinstance(value, str):
            raise AnswerError()
        return clean(value, max_length)

    return check


def matching(pattern):
    """A text that matches the pattern as a whole, unchanged."""
    form = re.compile(pattern)

    def check(value):
        if not isinstance(value, str) or len(value) > 1000 or not form.fullmatch(value):
            raise AnswerError()
        return str(value)

    return check


def one_of(known):
    """One of the values that we sent or know."""
    known = {each: each for each in known}

    def check(value):
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value not in known:
            raise AnswerError()
        return known[value]

    return check


def optional(shape):
    return lambda value: None if value is None else shape(value)


def host_address(value):
    """A single host address that an interface can have."""
    if not isinstance(value, str) or len(value) > 45:
        raise AnswerError()
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise AnswerError() from None
    if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise AnswerError()
    return str(address)


def network(value):
    """An address range, such as 192.168.1.0/24. The whole Internet is not one."""
    if not isinstance(value, str) or len(value) > 49:
        raise AnswerError()
    try:
        found = ipaddress.ip_network(value)
    except ValueError:
        raise AnswerError() from None
    if found.prefixlen == 0 or getattr(found.network_address, "scope_id", None):
        raise AnswerError()
    return str(found)


def list_of(shape, max_items):
    def check(value):
        if not isinstance(value, (list, tuple)) or len(value) > max_items:
            raise AnswerError()
        return [shape(each) for each in value]

    return check


def set_of(shape, max_items):
    """A list that keeps its order and has each value once."""
    items = list_of(shape, max_items)
    return lambda value: list(dict.fromkeys(items(value)))


def mapping(fields):
    """A mapping that has all of these fields. Other fields are dropped."""

    def check(value):
        if not isinstance(value, dict) or any(name not in value for name in fields):
            raise AnswerError()
        return {name: shape(value[name]) for name, shape in fields.items()}

    return check


# The interfaces on which a firewall accepts rules, each with its name in the GUI.
INTERFACES = list_of(
    mapping({"key": matching(r"[A-Za-z][A-Za-z0-9_]{0,31}"), "description": text(64)}), MAX_INTERFACES
)
def proofs(tracker, max_items):
    """What the packet filter decides, at most once for each tracker of the shape: `module_utils/pf_proof.py`."""
    level = one_of(("decides", "listed", "shadowed"))
    items = list_of(mapping({"tracker": tracker, "level": level, "message": text(MAX_PROOF)}), max_items)

    def check(value):
        found = items(value)
        if len(set(each["tracker"] for each in found)) != len(found):
            raise AnswerError()
        return found

    return check


# ---- whole answers ----


def read_answer(answer, shape, codes):
    """A module's answer as the shape rebuilds it, or a failure with one of these codes or of KNOWN."""
    try:
        if not isinstance(answer, dict):
            raise AnswerError()
        if answer.get("failed"):
            return read_failure(answer, codes)
        return mapping(shape)(answer)
    except AnswerError:
        return fail("answer_invalid", INVALID)


def read_failure(answer, codes):
    reported = answer.get("firebreak_error")
    if reported is not None:
        error = mapping({"code": one_of(codes), "message": text(MAX_MESSAGE)})(reported)
        return fail(error["code"], error["message"])
    code, sentence = recognize(answer)
    return fail(code, sentence) if code else fail("answer_invalid", INVALID)


def explain_failure(answer):
    """The same for one of Ansible's own modules, whose message is shown if no sentence of KNOWN fits."""
    code, sentence = recognize(answer)
    if code:
        return fail(code, sentence)
    output = failure_text(answer)
    refused = re.search(r"failed to validate: rc:\d{1,9} error:([^\n]{0,1000})", output)
    if refused:
        return fail("edit_refused", "the edit was not put in place: %s" % (clean(refused.group(1)) or "the check failed"))
    lines = [line.strip() for line in output.splitlines() if line.strip() and not re.match(ANSIBLE_PREFIXES, line)]
    return fail("task_failed", (clean(lines[0]) if lines else "") or "a task failed without a message")


def recognize(answer):
    """(code, sentence) if the failure is a known one, else (None, None)."""
    if answer.get("rc") == LOCKF_TIMEOUT and not isinstance(answer.get("rc"), bool):
        return "lock_timeout", "pfSense's configuration lock stayed taken"
    output = failure_text(answer)
    for pattern, code, sentence in KNOWN:
        match = re.search(pattern, output)
        if match:
            return code, clean(match.expand(sentence))
    return None, None


def failure_text(answer):
    texts = (answer.get(key) for key in ("msg", "module_stderr", "module_stdout", "exception"))
    return "\n".join(str(each)[:MAX_SEARCHED] for each in texts if each is not None)


def fail(code, message):
    return {"failed": True, "msg": message, "firebreak_error": {"code": code, "message": message}}
