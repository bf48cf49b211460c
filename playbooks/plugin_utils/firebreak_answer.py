"""What a firewall answers, as strictly checked as what an alarm says.

Whoever took a firewall over writes its answers. So an answer is compared with a shape, and rebuilt from what the shape
names: nothing else of it goes on, and a text only in letters that no template, terminal or log reads as more than
that. An answer of another shape is one fixed sentence, without a word of the answer.
"""

from __future__ import annotations

import ipaddress
import re

# What a failed call may say, in the order in which it is looked for: pattern, code, sentence.
KNOWN = (
    (
        r"Missing \w+ password|a password is required|Incorrect \w+ password|is not in the sudoers",
        "become_failed",
        "sudo does not let the login become root: give its password (become_password_file), or let it do without",
    ),
    (r"failed to validate: rc:3 ", "edit_conflict", "other runs kept changing the same rules: try again"),
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
    # The probe has run by then, with the same Python: what the shell does not find is what stands before it.
    (
        r"([\w./-]{1,100}): (?:command )?not found",
        "lock_missing",
        r"\1 is not on the firewall (see pfsense_lock_command)",
    ),
)
# What Ansible says of a module that died, before it says what the module said.
ANSIBLES_OWN_WORDS = r"MODULE FAILURE|See stdout/stderr|Module result deserialization failed|Module failed: "
LOCK_TAKEN = 75  # lockf's exit status when its time is up

LONGEST_SAID = 100000  # characters of a failed call that are looked through
LONGEST_SENTENCE = 600
MOST_ADDRESSES = 256  # that a firewall has of its own

INVALID = "the firewall did not answer as this role's modules do; nothing of its answer was used"


class AnswerError(ValueError):
    """An answer of another shape. It has no text: none of the answer may leave this file unchecked."""


def clean(text, longest=LONGEST_SENTENCE):
    """One line of printable ASCII without braces, cut."""
    text = re.sub(r"[^\x20-\x7e]+", " ", str(text)[: 4 * longest])
    text = text.replace("{", "(").replace("}", ")")
    return re.sub(r" +", " ", text).strip()[:longest]


# ---- shapes: each takes a value and gives it back as checked, or raises AnswerError ----


def yes_or_no(value):
    if not isinstance(value, bool):
        raise AnswerError()
    return bool(value)


def number(least, most):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise AnswerError()
        return int(value)

    return check


def text(longest):
    """Any text; what is too long is cut, since a person may have written it."""

    def check(value):
        if not isinstance(value, str):
            raise AnswerError()
        return clean(value, longest)

    return check


def matching(pattern):
    """A text of a closed form, as it is."""
    form = re.compile(pattern)

    def check(value):
        if not isinstance(value, str) or len(value) > 1000 or not form.fullmatch(value):
            raise AnswerError()
        return str(value)

    return check


def one_of(known):
    """One of the values that we sent, or that we know."""
    known = {each: each for each in known}

    def check(value):
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value not in known:
            raise AnswerError()
        return known[value]

    return check


def nothing_or(shape):
    return lambda value: None if value is None else shape(value)


def host_address(value):
    """A single host that a machine can have on an interface."""
    if not isinstance(value, str) or len(value) > 45:
        raise AnswerError()
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise AnswerError() from None
    if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise AnswerError()
    return str(address)


def list_of(shape, most):
    """Each value once, in its order."""

    def check(value):
        if not isinstance(value, (list, tuple)) or len(value) > most:
            raise AnswerError()
        return [shape(each) for each in value]

    return check


def set_of(shape, most):
    many = list_of(shape, most)
    return lambda value: list(dict.fromkeys(many(value)))


def mapping(fields):
    """What is named, and nothing else: keys that are unknown are left behind."""

    def check(value):
        if not isinstance(value, dict) or any(name not in value for name in fields):
            raise AnswerError()
        return {name: shape(value[name]) for name, shape in fields.items()}

    return check


# ---- whole answers ----


def read_answer(answer, shape, codes):
    """A module's answer as the shape rebuilds it, or a failure with one of these codes, or one of KNOWN."""
    try:
        if not isinstance(answer, dict):
            raise AnswerError()
        if answer.get("failed"):
            return read_failure(answer, codes)
        return mapping(shape)(answer)
    except AnswerError:
        return fail("answer_invalid", INVALID)


def read_failure(answer, codes):
    told = answer.get("firebreak_error")
    if told is not None:
        error = mapping({"code": one_of(codes), "message": text(LONGEST_SENTENCE)})(told)
        return fail(error["code"], error["message"])
    code, sentence = recognize(answer)
    return fail(code, sentence) if code else fail("answer_invalid", INVALID)


def explain_failure(answer):
    """The same for a module of Ansible's own, whose words are shown where none of ours fits."""
    code, sentence = recognize(answer)
    if code:
        return fail(code, sentence)
    said = everything_said(answer)
    refused = re.search(r"failed to validate: rc:\d{1,9} error:([^\n]{0,1000})", said)
    if refused:
        return fail("edit_refused", "the edit was not put in place: %s" % (clean(refused.group(1)) or "the check failed"))
    lines = [line.strip() for line in said.splitlines() if line.strip() and not re.match(ANSIBLES_OWN_WORDS, line)]
    return fail("task_failed", (clean(lines[0]) if lines else "") or "a task failed and said nothing")


def recognize(answer):
    """(code, sentence) where a failed call says what we know; (None, None) where it does not."""
    if answer.get("rc") == LOCK_TAKEN and not isinstance(answer.get("rc"), bool):
        return "lock_timeout", "pfSense's configuration lock stayed taken"
    said = everything_said(answer)
    for pattern, code, sentence in KNOWN:
        match = re.search(pattern, said)
        if match:
            return code, clean(match.expand(sentence))
    return None, None


def everything_said(answer):
    words = (answer.get(key) for key in ("msg", "module_stderr", "module_stdout", "exception"))
    return "\n".join(str(each)[:LONGEST_SAID] for each in words if each is not None)


def fail(code, message):
    return {"failed": True, "msg": message, "firebreak_error": {"code": code, "message": message}}
