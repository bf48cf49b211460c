# Run by lineinfile and replace (`validate`), inside pfSense's lock, on the file that is about to replace config.xml:
#   python -c <this> CONFIG PHP adds|removes NUMBER NEW_FILE
# Only NUMBER rules of ours may have been added or removed. Exit 3: another run edited the file meanwhile, so retry.
# Exit 4: the file must not be put in place. The output names no content of the file.
#
# Both files are compared as bytes, and only the rules around the difference are parsed, so that the check of a long
# configuration takes no longer. Where the bytes do not prove enough, both files are parsed as a whole.
import collections
import hashlib
import os
import re
import subprocess
import sys
from xml.parsers import expat

BAND = range(2000000000, 2147483648)
FILTER = re.compile(rb"<filter[\s/>]")

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

    def __init__(self, content):
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
        parser.Parse(content, True)

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
    with open(file, "rb") as stream:
        return stream.read()


def is_well_formed(content):
    try:
        expat.ParserCreate().Parse(content, True)
    except expat.ExpatError:
        return False
    return True


def find_longest(most, is_common):
    """The greatest number up to `most` for which it holds, by halving."""
    low = 0
    while low < most:
        middle = (low + most + 1) // 2
        if is_common(low, middle):
            low = middle
        else:
            most = middle - 1
    return low


def cut_difference(old, new):
    """Where the whole rules around the difference begin, and where they end in the old file; None if that is unclear."""
    size, longer = len(old), len(new) - len(old)
    head = find_longest(min(size, len(new)), lambda low, high: old[low:high] == new[low:high])
    tail = find_longest(
        min(size, len(new)) - head,
        lambda low, high: old[size - high : size - low] == new[size + longer - high : size + longer - low],
    )
    begins = [old.rfind(tag, 0, head) + len(tag) for tag in (b"<filter>", b"</rule>") if old.rfind(tag, 0, head) >= 0]
    rule, end = old.find(b"</rule>", size - tail), old.find(b"</filter>", size - tail)
    ends = [each for each in (rule + len(b"</rule>") if rule >= 0 else -1, end) if each >= 0]
    return (max(begins), min(ends)) if begins and ends else None


def read_difference(old, new):
    """Reads the rules around the difference, in both files. None where the bytes do not prove that the rest is the same,
    that there is one filter, and that no tracker is added twice."""
    cut = cut_difference(old, new)
    if cut is None:
        return None
    begin, end = cut
    head = old[:begin]
    if re.match(rb'<\?xml version="1.0"( encoding="(utf|UTF)-8")?\?>', head) is None or b"<!DOCTYPE" in head:
        return None
    # What closes without an error is open: the difference begins in the filter, and not in a comment or a text.
    filters = [each.start() for each in FILTER.finditer(head)]
    if len(filters) > 8 or not is_well_formed(head + b"</filter></pfsense>"):
        return None
    if sum(is_well_formed(head[:each] + b"</pfsense>") for each in filters) != 1 or FILTER.search(old, end):
        return None
    try:
        pieces = old[begin:end], new[begin : end + len(new) - len(old)]
        parsed = [Reader(b"<pfsense><filter>" + piece + b"</filter></pfsense>") for piece in pieces]
    except expat.ExpatError:
        return None
    if parsed[0].filters != 1:
        return None
    added = set(tracker for tracker, unused in parsed[1].ours - parsed[0].ours)
    texts = re.findall(rb"<tracker>([^<&]*)</tracker>", old) if added else []
    if added and len(texts) != old.count(b"<tracker"):
        return None  # one may be written in another way
    return None if added & set(int(text) for text in texts if text.strip().isdigit()) else parsed


def parse_whole(content):
    try:
        return Reader(content)
    except expat.ExpatError as error:
        stop(4, "line %d is not well-formed XML" % error.lineno)


def check_parsers(php, new_file, content):
    if not os.path.exists(php):
        if not is_well_formed(content):
            parse_whole(content)  # names the line
        return
    ended = subprocess.run([php, "-r", PARSER, new_file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
    if ended.returncode != 0:
        stop(4, "pfSense's own parser refuses it")


def main(config, php, direction, number, new_file):
    files = read(config), read(new_file)
    old, new = read_difference(*files) or [parse_whole(each) for each in files]
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
    check_parsers(php, new_file, files[1])


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
