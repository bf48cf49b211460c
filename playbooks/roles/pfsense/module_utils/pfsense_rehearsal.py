"""Tries an edit of config.xml on a copy, with the program that checks the edit itself. Runs on firewalls, Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import shutil
import sys
import tempfile

from ansible.module_utils.pfsense_config import find_place, parse_config, read_config
from ansible_collections.firebreak.core.plugins.module_utils.programs import last_words, run_bounded
from ansible_collections.firebreak.core.plugins.module_utils.refusal import Refusal
from ansible_collections.firebreak.core.plugins.module_utils.rule_elements import rules_pattern

CHECK_TIMEOUT = 60
IN_CONFLICT = 3  # exit status of the program: see files/check_config.py

# The program counts our rules by their trackers, so the rest of a rule does not matter here.
RULE = "\t\t<rule>\n\t\t\t<tracker>%d</tracker>\n\t\t\t<type>block</type>\n\t\t</rule>"


def rehearse_edit(arguments, remove, add):
    """Raises the Refusal that the edit would end with, if it removed and added the rules of these trackers."""
    data = read_config(arguments["config"])
    if remove:
        pattern = re.compile(rules_pattern(remove).encode("ascii"), re.MULTILINE)
        kept = pattern.sub(b"", data)
        check_edit(arguments, (data, kept), "removes", len(remove))
        data = kept
    if add:
        place = find_place(parse_config(data, arguments["config"]))
        check_edit(arguments, (data, insert_rules(data, place, add)), "adds", len(add))


def insert_rules(data, place, trackers):
    """What lineinfile would write."""
    text = (place["before"] + "\n".join(RULE % each for each in trackers) + place["after"] + "\n").encode("ascii")
    lines = re.findall(br"[^\n]*\n|[^\n]+", data)
    pattern = re.compile(place["pattern"].encode("ascii"))
    matches = [number for number, line in enumerate(lines) if pattern.search(line)]
    at = matches[0 if place["firstmatch"] else -1]
    if place["backrefs"]:
        lines[at] = pattern.search(lines[at]).expand(text)
    else:
        lines.insert(at + 1, text)
    return b"".join(lines)


def check_edit(arguments, versions, direction, count):
    """Runs the program on both versions of the file, which only their owner can read, and removes them."""
    if versions[0] == versions[1]:
        return  # then the edit writes nothing either, and the proof shows what pf has
    folder = tempfile.mkdtemp(prefix="firebreak-")
    try:
        files = [os.path.join(folder, name) for name in ("old.xml", "new.xml")]
        for file, content in zip(files, versions):
            with open(file, "wb") as stream:
                stream.write(content)
        argv = [sys.executable, "-c", arguments["check"], files[0], arguments["php"], direction, str(count), files[1]]
        ended = run_bounded(argv, CHECK_TIMEOUT)
    finally:
        shutil.rmtree(folder)
    if ended.status == 0:
        return
    message = "the edit would not be put in place: %s" % (last_words(ended.output) or "the check failed")
    if ended.status == IN_CONFLICT:
        raise Refusal("edit_conflict", message)
    raise Refusal("edit_refused", message)
