"""Reads pfSense's config.xml the way pfSense does: strictly. Runs on the firewall, with Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import re
from xml.parsers import expat

from ansible.module_utils.pfsense_own_rules import MARK, as_file, take_out
from ansible_collections.firebreak.core.plugins.module_utils.refusal import Refusal


class Config:
    """What the role needs from the file, and nothing else."""

    def __init__(self):
        self.version = None
        self.interfaces = {}  # key that a rule may name -> whether it is enabled
        self.entries = {}  # section and element, as in ENTRIES -> its entries, each a mapping of path to text
        self.keys = {}  # key under <interfaces> -> its entry
        self.addresses = []  # the firewall's own, as far as they are configured
        self.rules = {}  # tracker -> the rules that carry it, each a mapping of path to text
        self.own = {}  # tracker -> rules just as Firebreak writes them, as text, that are not in `rules` yet
        self.uniform = frozenset()  # trackers of which every rule is of that kind
        self.data = b""  # the bytes that the offsets count
        self.filter_start = None  # byte offset of "<filter" under the root
        self.filters = 0
        self.root_end = None  # byte offset of "</pfsense"


def find_card(config, key):
    """What pf calls an interface. Groups and classes of VPN interfaces have their key as their name."""
    return config.keys.get(key, {}).get("if") or key


def read_config(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (IOError, OSError) as error:
        if error.errno == errno.ENOENT:
            raise Refusal("config_missing", "there is no %s on the firewall (see pfsense_config)" % path)
        raise Refusal("config_unreadable", "%s cannot be read: %s" % (path, error.strerror))


def read_trackers(path):
    """The trackers in the file, without parsing it."""
    return set(int(number) for number in re.findall(br"<tracker[^<>]*>(?:<!\[CDATA\[)?\s*([0-9]{1,10})", read_config(path)))


def parse_config(data, path, trackers=None):
    """Refuses what pfSense would refuse: a malformed file makes it restore an older one in its place.

    With trackers, Firebreak's rules that have other ones may be left in `own`.
    """
    if not data.strip():
        raise Refusal("config_malformed", "%s is empty" % path)
    config = None if trackers is None else read_without_own_rules(data)
    try:
        config = config or read_whole(data)
    except expat.ExpatError as error:
        raise Refusal(
            "config_malformed",
            "%s is not well-formed XML: line %d, column %d: %s"
            % (path, error.lineno, error.offset + 1, expat.ErrorString(error.code)),
        )
    if config.root_end is None:
        raise Refusal("config_malformed", "%s is not a pfSense configuration: its root is not <pfsense>" % path)
    if config.filters > 1:
        raise Refusal("config_malformed", "%s has more than one <filter>: pfSense refuses such a file" % path)
    add_own_rules(config, trackers or ())
    return config


def read_whole(data):
    reader = Reader()
    reader.parser.Parse(data, True)
    reader.config.data = data
    return reader.config


def read_without_own_rules(data):
    """The same, but rules that are just as Firebreak writes them are put into `own`.

    None if such a text stands elsewhere than among the rules, as in a comment.
    """
    rest, marks, own = take_out(data)
    reader = Reader()
    try:
        reader.parser.Parse(rest, True)
    except expat.ExpatError:
        return None  # the whole file says in which line
    if reader.marks != marks:
        return None
    config = reader.config
    config.data = rest
    config.own = own
    config.uniform = frozenset(own).difference(config.rules)
    return config


def add_own_rules(config, trackers):
    """Puts the rules with these trackers from `own` into `rules`."""
    texts = [rule for tracker in set(trackers) for rule in config.own.pop(tracker, ())]
    for tracker, rules in read_whole(as_file(texts)).rules.items():
        config.rules[tracker] = config.rules.get(tracker, []) + rules


# Besides the rules and the interfaces: what tells by which interface a packet enters, and where a port forward leads.
ENTRIES = frozenset((
    "ifgroups/ifgroupentry", "ipsec/phase1", "ipsec/phase2", "ipsec/client", "openvpn/openvpn-server",
    "openvpn/openvpn-client", "openvpn/openvpn-csc", "pppoes/pppoe", "l2tp/mode", "staticroutes/route",
    "gateways/gateway_item", "bridges/bridged", "sysctl/item", "virtualip/vip",
    "nat/rule", "nat/onetoone", "aliases/alias",
))  # fmt: skip


class Reader:
    """Walks the file once. Only the rules, the interfaces, the entries of ENTRIES and the version are collected."""

    def __init__(self):
        self.config = Config()
        self.path = []
        self.text = []
        self.entry = None  # the entry that is being read, a mapping of path to text
        self.marks = 0
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
            section = self.path[1]
            is_rule = section == "filter" and name == "rule"
            if is_rule or section == "interfaces" or "%s/%s" % (section, name) in ENTRIES:
                self.entry = {}
            self.marks += section == "filter" and name == MARK and self.path[0] == "pfsense"

    def end(self, name):
        text = "".join(self.text).strip("\t\r\n")
        del self.text[:]
        path = self.path
        depth = len(path)
        if self.entry is not None:
            self.entry["/".join(path[3:])] = text
            if depth == 3:
                self.add_entry(path[1], name)
        elif depth == 2 and name == "version":
            self.config.version = text
        elif depth == 1 and name == "pfsense":
            self.config.root_end = self.parser.CurrentByteIndex
            self.config.interfaces.update((key, True) for key in find_offered_keys(self.config))
        path.pop()

    def add_entry(self, section, name):
        entry, self.entry = self.entry, None
        if section == "filter":
            tracker = entry.get("tracker", "").strip()
            if re.match(r"[0-9]{1,10}$", tracker):
                self.config.rules.setdefault(int(tracker), []).append(entry)
            return
        if section == "interfaces":
            self.config.keys[name] = entry
            self.config.interfaces[name] = "enable" in entry
        else:
            self.config.entries.setdefault("%s/%s" % (section, name), []).append(entry)
        # The address of an interface, or a virtual one (CARP, alias) that the firewall answers for.
        own = ("ipaddr", "ipaddrv6") if section == "interfaces" else ("subnet",) if section == "virtualip" else ()
        self.config.addresses += [entry[field] for field in own if ADDRESS.match(entry.get(field, ""))]


def find_offered_keys(config):
    """The keys besides those of <interfaces> that pfSense's rules page offers, and makes rules of."""
    def find(kind, is_counted=lambda entry: True):
        return [entry for entry in config.entries.get(kind, ()) if is_counted(entry)]

    keys = [entry.get("ifname", "") for entry in find("ifgroups/ifgroupentry")]
    if find("ipsec/phase1", lambda entry: "disabled" not in entry):
        keys.append("enc0")
    if find("openvpn/openvpn-server") or find("openvpn/openvpn-client"):
        keys.append("openvpn")  # even if all of them are disabled
    if find("l2tp/mode", lambda entry: entry[""] == "server"):
        keys.append("l2tp")
    if find("pppoes/pppoe", lambda entry: entry.get("mode") == "server"):
        keys.append("pppoe")
    return filter(None, keys)


# The same elements may hold "dhcp" and the like.
ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}$|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+$")


MAX_INTERFACES = 256
INTERFACE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}$")


def list_interfaces(config):
    """The enabled interfaces, each with its name in the GUI, which is empty where the GUI shows the key."""
    keys = [key for key, is_enabled in config.interfaces.items() if is_enabled and INTERFACE_KEY.match(key)]
    return [{"key": key, "description": config.keys.get(key, {}).get("descr", "")[:64]} for key in keys[:MAX_INTERFACES]]


# Fields that narrow or disable a rule. A block of ours has none of them.
NARROWING = (
    "disabled", "sched", "os", "tagged", "statetimeout", "max", "max-src-nodes", "max-src-conn", "max-src-states",
    "tcpflags1", "tcpflags2", "icmptype", "dscp", "vlanprio",
)  # fmt: skip
NARROWING_BY_PRESENCE = ("disabled",)
# Fields that make it block something else.
OTHER_ENDS = ("source/port", "source/network", "destination/network")
OTHER_ENDS_BY_PRESENCE = ("source/not", "destination/not", "source/any", "destination/any")


def find_field(rule, with_text, by_presence):
    """The first of these fields that the rule has, or None."""
    found = [field for field in with_text if rule.get(field)] + [field for field in by_presence if field in rule]
    return found[0] if found else None


def find_narrowing(rule):
    return "floating" if has_other_place(rule) else find_field(rule, NARROWING, NARROWING_BY_PRESENCE)


def has_other_place(rule):
    """Whether it is a floating rule, but not one that blocks what enters by its interface before any other rule does."""
    is_ours = rule.get("floating") == "yes" and rule.get("direction") == "in" and "quick" in rule
    return "floating" in rule and not is_ours


def find_other_end(rule):
    return find_field(rule, OTHER_ENDS, OTHER_ENDS_BY_PRESENCE)


def read_flow(rule):
    """The flow of a rule, as it is written in the configuration."""
    protocol = rule.get("protocol", "")
    return {
        "type": rule.get("type", ""),
        "interface": rule.get("interface", ""),
        "ipprotocol": rule.get("ipprotocol", ""),
        "protocol": "<any>" if protocol == "any" else protocol or "any",  # a rule for any protocol has no such element
        "source": rule.get("source/address", ""),
        "destination": rule.get("destination/address", ""),
        "port": rule.get("destination/port", ""),
    }


def blocks_flow(rule, flow):
    """Whether a rule of the file still blocks its flow. Its description and its place do not matter."""
    return is_about_flow(rule, flow) and find_narrowing(rule) is None


def is_as_written(rule, place):
    """Whether a rule has the form and place that it would be given now.

    Earlier releases wrote rules that block only the first packet of a TCP connection.
    """
    has_flags = rule.get("protocol") != "tcp" or "tcpflags_any" in rule
    return has_flags and (place == "auto" or ("floating" in rule) == (place == "floating"))


def is_about_flow(rule, flow):
    """Whether a rule is still about its flow and no other, even if it is disabled or narrowed."""
    for field, text in read_flow(rule).items():
        # Only addresses are case-insensitive: "Block" makes a pass rule, "WAN" no rule at all.
        if (text.lower() if field in ("source", "destination") else text) != flow[field]:
            return False
    return find_other_end(rule) is None


# Where new rules go. The patterns name only tags: nothing of the file's content leaves the firewall.
OPEN_FILTER = br"<filter(?:\s[^<>/]*)?>"
EMPTY_FILTER = br"<filter\s*/>"
END_OF_FILE = br"</pfsense\s*>"


def find_place(config):
    """How lineinfile inserts new rules: {pattern, backrefs, before, after, firstmatch}."""
    data = config.data
    if config.filter_start is None:
        place = split_line(data, config.root_end, END_OF_FILE, "\t<filter>\n", "\n\t</filter>", keep_tag=True)
    elif re.compile(EMPTY_FILTER).match(data, config.filter_start):
        place = split_line(data, config.filter_start, EMPTY_FILTER, "\t<filter>\n", "\n\t</filter>")
    else:
        place = after_tag(data, config.filter_start)
    return choose_match(data, place)


def line_around(data, offset):
    start = data.rfind(b"\n", 0, offset) + 1
    end = data.find(b"\n", offset)
    return start, data[start : len(data) if end < 0 else end]


def after_tag(data, offset):
    """The usual file: the tag has a line of its own, and the rules go below it."""
    start, line = line_around(data, offset)
    tag = re.compile(OPEN_FILTER).match(data, offset)
    if tag is None:
        raise Refusal("filter_unreadable", "the <filter> tag is written in a form that this role does not edit")
    before, after = data[start:offset], line[tag.end() - start :]
    if before.strip(b" \t") or after.strip():
        indent = "\t" if after.lstrip().startswith(b"</filter") else ""  # as the GUI would put the closing tag
        return split_line(data, offset, OPEN_FILTER, "", indent, keep_tag="before")
    pattern = b"^" + before + re.escape(tag.group()) + br"\s*$"
    return {"at": start, "pattern": pattern.decode("ascii", "replace"), "backrefs": False, "before": "", "after": ""}


def split_line(data, offset, tag, before, after, keep_tag=False):
    """The tag shares its line, which is split there. Counting tags, not content, finds the place."""
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


def choose_match(data, place):
    """lineinfile uses the first or the last line that matches: determines which of them is ours."""
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
