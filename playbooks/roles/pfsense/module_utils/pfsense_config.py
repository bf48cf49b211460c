"""Reads pfSense's config.xml the way pfSense does: strictly. Runs on the firewall, with Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import re
from xml.parsers import expat


class Refusal(Exception):
    """Why the role stops, with a code of the documented table."""

    def __init__(self, code, message):
        super(Refusal, self).__init__(message)
        self.code = code
        self.message = message

    def result(self):
        return {"failed": True, "msg": self.message, "firebreak_error": {"code": self.code, "message": self.message}}


class Config:
    """What the role needs to know of the file, and nothing else of it."""

    def __init__(self):
        self.version = None
        self.interfaces = {}  # key -> is it enabled?
        self.addresses = []  # of the firewall itself, as far as they are written down
        self.rules = {}  # tracker -> the rules that carry it, each a mapping of path to text
        self.filter_start = None  # byte offset of "<filter" under the root
        self.filters = 0
        self.root_end = None  # byte offset of "</pfsense"


def read_config(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (IOError, OSError) as error:
        if error.errno == errno.ENOENT:
            raise Refusal("config_missing", "there is no %s on the firewall (see pfsense_config)" % path)
        raise Refusal("config_unreadable", "%s cannot be read: %s" % (path, error.strerror))


def read_trackers(path):
    """The trackers that stand in the file, without parsing it."""
    return set(int(number) for number in re.findall(br"<tracker[^<>]*>(?:<!\[CDATA\[)?\s*([0-9]{1,10})", read_config(path)))


def parse_config(data, path):
    """Refuses what pfSense would not take: a malformed file makes it restore an old one over this one."""
    if not data.strip():
        raise Refusal("config_malformed", "%s is empty" % path)
    reader = Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Refusal(
            "config_malformed",
            "%s is not well-formed XML: line %d, column %d: %s"
            % (path, error.lineno, error.offset + 1, expat.ErrorString(error.code)),
        )
    config = reader.config
    if config.root_end is None:
        raise Refusal("config_malformed", "%s is no pfSense configuration: its root is not <pfsense>" % path)
    if config.filters > 1:
        raise Refusal("config_malformed", "%s has more than one <filter>: pfSense refuses such a file" % path)
    return config


class Reader:
    """Walks the file once. Only the rules, the interface keys and the version are kept."""

    def __init__(self):
        self.config = Config()
        self.path = []
        self.text = []
        self.rule = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text.append

    def start(self, name, attributes):
        self.path.append(name)
        del self.text[:]
        depth = len(self.path)
        if depth == 2 and name == "filter":
            self.config.filters += 1
            self.config.filter_start = self.parser.CurrentByteIndex
        elif depth == 3:
            if name == "rule" and self.path[1] == "filter":
                self.rule = {}
            elif self.path[1] == "interfaces":
                self.config.interfaces.setdefault(name, False)
        elif depth == 4 and name == "enable" and self.path[1] == "interfaces":
            self.config.interfaces[self.path[2]] = True

    def end(self, name):
        text = "".join(self.text).strip("\t\r\n")
        del self.text[:]
        path = self.path
        depth = len(path)
        if self.rule is not None and depth > 3:
            self.rule["/".join(path[3:])] = text
        if depth == 3 and self.rule is not None:
            self.keep_rule()
        elif depth == 2 and name == "version":
            self.config.version = text
        elif path[1:] == ["ifgroups", "ifgroupentry", "ifname"]:
            self.config.interfaces[text] = True
        elif depth == 4 and is_own_address(path) and ADDRESS.match(text):
            self.config.addresses.append(text)
        elif depth == 1 and name == "pfsense":
            self.config.root_end = self.parser.CurrentByteIndex
        path.pop()

    def keep_rule(self):
        tracker = self.rule.get("tracker", "").strip()
        if re.match(r"[0-9]{1,10}$", tracker):
            self.config.rules.setdefault(int(tracker), []).append(self.rule)
        self.rule = None


# "dhcp" and its like stand in the same places.
ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}$|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+$")


def is_own_address(path):
    """Of an interface, or a virtual one (CARP, alias) that the firewall answers for."""
    return (path[1] == "interfaces" and path[3] in ("ipaddr", "ipaddrv6")) or (
        path[1:] == ["virtualip", "vip", "subnet"]
    )


# Fields that narrow a rule or take it out of force; a block of ours has none of them.
NARROWING = (
    "disabled", "sched", "os", "tagged", "statetimeout", "max", "max-src-nodes", "max-src-conn", "max-src-states",
    "tcpflags1", "tcpflags2", "icmptype", "dscp", "vlanprio", "floating",
)  # fmt: skip
NARROWING_BY_BEING_THERE = ("disabled",)
# Fields that make it say something else altogether.
OTHER_ENDS = ("source/port", "source/network", "destination/network")
OTHER_ENDS_BY_BEING_THERE = ("source/not", "destination/not", "source/any", "destination/any")


def find_field(rule, with_text, by_being_there):
    """The first of these fields that the rule has, or None."""
    found = [field for field in with_text if rule.get(field)] + [field for field in by_being_there if field in rule]
    return found[0] if found else None


def find_narrowing(rule):
    return find_field(rule, NARROWING, NARROWING_BY_BEING_THERE)


def find_other_end(rule):
    return find_field(rule, OTHER_ENDS, OTHER_ENDS_BY_BEING_THERE)


def read_flow(rule):
    """The flow that a standing rule speaks of, in its own spelling."""
    protocol = rule.get("protocol", "")
    return {
        "type": rule.get("type", ""),
        "interface": rule.get("interface", ""),
        "ipprotocol": rule.get("ipprotocol", ""),
        "protocol": "<any>" if protocol == "any" else protocol or "any",  # any protocol is no element
        "source": rule.get("source/address", ""),
        "destination": rule.get("destination/address", ""),
        "port": rule.get("destination/port", ""),
    }


def says_what_it_should(rule, flow):
    """Does a rule that stands in the file still block its flow? Its description and its place do not matter."""
    return names_its_flow(rule, flow) and find_narrowing(rule) is None


def names_its_flow(rule, flow):
    """Is it still about its flow, and no other, be it disabled or narrowed?"""
    for field, text in read_flow(rule).items():
        # Only addresses may be spelt in either case: "Block" makes a pass rule, "WAN" no rule at all.
        if (text.lower() if field in ("source", "destination") else text) != flow[field]:
            return False
    return find_other_end(rule) is None


# Where new rules go. Only tags are named in the patterns: nothing of the file's content leaves the firewall.
OPEN_FILTER = br"<filter(?:\s[^<>/]*)?>"
EMPTY_FILTER = br"<filter\s*/>"
END_OF_FILE = br"</pfsense\s*>"


def find_place(data, config):
    """Says how lineinfile is to insert: {pattern, backrefs, before, after, firstmatch}."""
    if config.filter_start is None:
        place = split_line(data, config.root_end, END_OF_FILE, "\t<filter>\n", "\n\t</filter>", keep_tag=True)
    elif re.compile(EMPTY_FILTER).match(data, config.filter_start):
        place = split_line(data, config.filter_start, EMPTY_FILTER, "\t<filter>\n", "\n\t</filter>")
    else:
        place = after_tag(data, config.filter_start)
    return settle_match(data, place)


def line_around(data, offset):
    start = data.rfind(b"\n", 0, offset) + 1
    end = data.find(b"\n", offset)
    return start, data[start : len(data) if end < 0 else end]


def after_tag(data, offset):
    """The usual file: the tag has its line to itself, and the rules go below it."""
    start, line = line_around(data, offset)
    tag = re.compile(OPEN_FILTER).match(data, offset)
    if tag is None:
        raise Refusal("filter_unreadable", "the <filter> tag is written in a way this role does not edit")
    before, after = data[start:offset], line[tag.end() - start :]
    if before.strip(b" \t") or after.strip():
        indent = "\t" if after.lstrip().startswith(b"</filter") else ""  # as the GUI would put the closing tag
        return split_line(data, offset, OPEN_FILTER, "", indent, keep_tag="before")
    pattern = b"^" + before + re.escape(tag.group()) + br"\s*$"
    return {"at": start, "pattern": pattern.decode("ascii", "replace"), "backrefs": False, "before": "", "after": ""}


def split_line(data, offset, tag, before, after, keep_tag=False):
    """The tag shares its line: the line is cut there. The cut is found by counting tags, not by content."""
    start, line = line_around(data, offset)
    number = len(re.findall(tag, data[start:offset]))
    skip = b"(?:.*?%s){%d}" % (tag, number) if number else b""
    if keep_tag == "before":
        pattern = b"^(" + skip + b".*?" + tag + b")(.*)$"
        before, after = "\\1\n", "\n" + after + "\\2"
    elif keep_tag:
        pattern = b"^(" + skip + b".*?)(" + tag + b".*)$"
        lead = "\\1\n" if data[start:offset].strip() else ""
        before, after = lead + before, after + "\n\\2"
    else:
        pattern = b"^(" + skip + b".*?)" + tag + b"(.*)$"
        lead = "\\1\n" if data[start:offset].strip() else ""
        before, after = lead + before, after + "\\2"
    return {"at": start, "pattern": pattern.decode("ascii"), "backrefs": True, "before": before, "after": after}


def settle_match(data, place):
    """lineinfile takes the first or the last line that matches: which of them is ours?"""
    at = place.pop("at")
    pattern = re.compile(place["pattern"].encode("ascii"))
    matches, start = [], 0
    for line in data.splitlines(True) if b"\r" not in data else re.findall(br"[^\n]*\n|[^\n]+", data):
        if b"<" in line and pattern.search(line):
            matches.append(start)
        start += len(line)
    if at not in (matches[:1] + matches[-1:]):
        raise Refusal("filter_ambiguous", "other lines of the file look like its <filter> line: save it once in the GUI")
    place["firstmatch"] = matches[0] == at
    return place
