# Run by lineinfile and replace (`validate`), inside pfSense's lock, on the file that is about to replace config.xml:
#   python -c <this> CONFIG PHP adds|removes NUMBER NEW_FILE
# Only NUMBER rules of ours may have been added or removed. Exit 3: another run edited the file meanwhile, so retry.
# Exit 4: the file must not be put in place. The output names no content of the file.
import collections
import hashlib
import os
import re
import subprocess
import sys
from xml.parsers import expat

BAND = range(2000000000, 2147483648)

# pfSense's own parser without config.inc, which would wait for the lock that we hold.
PARSER = (
    'require_once("globals.inc"); require_once("util.inc"); require_once("config.lib.inc"); '
    'require_once("xmlparse.inc"); exit(is_array(parse_xml_config($argv[1], array("pfsense"))) ? 0 : 1);'
)


def stop(status, message):
    sys.stderr.write(message)
    sys.exit(status)


class Reader:
    """Digests everything but our own rules, and counts those by tracker."""

    def __init__(self, file):
        self.rest = hashlib.sha256()
        self.ours = collections.Counter()
        self.filters = 0
        self.path = []
        self.rule = None
        self.text = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text.append
        with open(file, "rb") as stream:
            parser.ParseFile(stream)

    def record(self, *words):
        if self.rule is None:
            self.rest.update("\0".join(words).encode("utf-8") + b"\n")
        else:
            self.rule.append(words)

    def start(self, name, attributes):
        self.take_text()
        self.path.append(name)
        if self.path == ["pfsense", "filter"]:
            self.filters += 1  # not part of the digest, because our first rule may have to create it
            return
        if self.path == ["pfsense", "filter", "rule"]:
            self.rule = []
        self.record("<", name, repr(sorted(attributes.items())))

    def take_text(self):
        """Records a text as a whole: expat delivers a long one in pieces, split at the end of its buffer."""
        text = "".join(self.text)
        del self.text[:]
        if text.strip():
            self.record("=", text.strip("\t\r\n"))

    def end(self, name):
        self.take_text()
        path = list(self.path)
        self.path.pop()
        if path == ["pfsense", "filter"]:
            return
        self.record(">", name)
        if path == ["pfsense", "filter", "rule"]:
            words, self.rule = self.rule, None
            tracker = find_tracker(words)
            if tracker is not None and tracker in BAND:  # "None in BAND" would compare every number
                self.ours[tracker, hashlib.sha256(repr(words).encode()).hexdigest()] += 1
            else:
                for each in words:
                    self.record(*each)


def find_tracker(words):
    for opening, content in zip(words, words[1:]):
        if opening[:2] == ("<", "tracker") and re.match(r"\s*[0-9]{10}\s*$", content[1]):
            return int(content[1])
    return None


def read(file):
    try:
        return Reader(file)
    except expat.ExpatError as error:
        stop(4, "line %d is not well-formed XML" % error.lineno)


def main(config, php, direction, number, new_file):
    old, new = read(config), read(new_file)
    if new.filters != 1:
        stop(4, "it would have %d filters" % new.filters)
    if new.rest.digest() != old.rest.digest():
        stop(4, "more than rules of ours would change")
    removed, added = old.ours - new.ours, new.ours - old.ours
    known = set(tracker for tracker, unused in old.ours)
    if direction == "adds":
        doubled = [tracker for tracker, unused in added if tracker in known]
        if doubled:
            stop(3, "another run added a rule with tracker %d meanwhile" % doubled[0])
        if removed or sum(added.values()) != number:
            stop(4, "%d rules of %d would be added, %d removed" % (sum(added.values()), number, sum(removed.values())))
    elif added or len(set(tracker for tracker, unused in removed)) > number:
        stop(4, "%d rules would be removed for %d trackers" % (sum(removed.values()), number))
    if os.path.exists(php):
        ended = subprocess.run([php, "-r", PARSER, new_file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
        if ended.returncode != 0:
            stop(4, "pfSense's own parser refuses it")


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
