"""Feeds N random answers to the checks of plugin_utils/answers.py: hostile-answers.py N SEED.

Prints the answers' codes with how often each came. Ends with an error where a check raised anything, let a template or a
control character through, or gave back a number, a tracker or a key that it should not have.
"""

import collections
import importlib.util
import json
import os
import random
import re
import sys

ROOT = os.path.join(
    os.path.dirname(os.path.abspath(__file__)),
    *("..", "..", "playbooks", "collections", "ansible_collections", "firebreak", "core", "plugins", "plugin_utils"),
)
spec = importlib.util.spec_from_file_location("answers", os.path.join(ROOT, "answers.py"))
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)

SENT = {2000000001: 1, 2000000002: 2}
SHAPE = {
    "trackers": answers.set_of(answers.one_of(SENT), 3),
    "proven": answers.boolean,
    "count": answers.number(0, 10),
    "word": answers.text(50),
    "path": answers.matching(r"/[a-z]{1,9}"),
    "addresses": answers.set_of(answers.host_address, 4),
    "why": answers.optional(answers.text(20)),
    "proof": answers.proofs(answers.one_of(SENT), 3),
}
GOOD = {
    "trackers": [2000000001], "proven": True, "count": 3, "word": "fine", "path": "/bin", "addresses": ["192.0.2.1"], "why": None,
    "proof": [{"tracker": 2000000001, "level": "decides", "message": ""}],
}  # fmt: skip
BAD = (
    "{{ lookup('pipe','id') }}", "{% raw %}", "{#", "\x1b[2J\u202e", "a" * 200000, "\ud800", "0.0.0.0/0", "::/1", "::%eth0", -1, 2**70, 1.5,
    float("nan"), True, False, None, [], {}, [[[]]], {"a": {"b": []}}, [2000000003], ["2000000001"], [True], "2000000001", ["::"], ["ff02::1"],
    [{"tracker": 2000000002, "level": "shadowed", "message": "{{ lookup('pipe','id') }}\n" * 99}],
    [{"tracker": 2000000003, "level": "decides", "message": ""}], [{"tracker": 2000000001, "level": "disabled", "message": ""}],
    [{"tracker": 2000000001, "level": "decides", "message": ""}, {"tracker": 2000000001, "level": "shadowed", "message": ""}],
)  # fmt: skip
KEYS = tuple(GOOD) + (
    "failed", "msg", "rc", "firebreak_error", "ansible_facts", "ansible_stats", "add_host", "_ansible_no_log", "exception", "module_stderr",
    "__class__", "stdout",
)  # fmt: skip


def make(chance):
    answer = dict(GOOD)
    for _ in range(chance.randrange(4)):
        answer[chance.choice(KEYS)] = chance.choice(BAD)
    if chance.random() < 0.2:
        answer["failed"] = True
        answer["firebreak_error"] = chance.choice([{"code": "known", "message": chance.choice(BAD)}, {"code": chance.choice(BAD)}, "x"])
    return answer if chance.random() < 0.95 else chance.choice(BAD)


def look(result, given):
    text = json.dumps(result)
    assert not re.search(r"\{\{|\{%|\{#|lookup\('pipe'|[\x00-\x1f\x7f]", json.dumps(result).replace("(( lookup(", "")), text
    for word in re.findall(r'"((?:[^"\\]|\\.)*)"', text):
        assert "{" not in word and "\\u" not in word and len(word) <= 700, word
    if result.get("failed"):
        assert result["firebreak_error"]["code"] in {"answer_invalid", "known"} | {code for _, code, _ in answers.KNOWN}
        return
    assert set(result) == set(GOOD), result
    proven = [each["tracker"] for each in result["proof"]]
    assert len(set(proven)) == len(proven) and all(tracker in SENT for tracker in proven), result
    assert all(each["level"] in ("decides", "listed", "shadowed") for each in result["proof"]), result
    assert all(tracker in SENT for tracker in result["trackers"]) and 0 <= result["count"] <= 10, result


def main(cases, seed):
    chance, codes = random.Random(seed), collections.Counter()
    for _ in range(cases):
        given = make(chance)
        result = answers.read_answer(given, SHAPE, {"known"})
        look(result, given)
        if isinstance(given, dict):
            explained = answers.explain_failure(given)
            assert "{" not in explained["msg"] and len(explained["msg"]) <= 700, explained
        codes[result["firebreak_error"]["code"] if result.get("failed") else "taken"] += 1
    print(json.dumps(codes))


main(int(sys.argv[1]), int(sys.argv[2]))
