"""Decides a table of rule sets and packets: table.py GROUP... Prints {group: [row that went wrong, ...]} as JSON.

Rules are written as pfctl prints them, without their numbers. A row is what is said of it, the rules around ours (the line OURS),
the flow and the other texts as far as they differ from the usual ones, and the expected answer: a level, or a level and a
part of its reason.
"""

import json
import os
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "playbooks", "collections"))
from ansible_collections.firebreak.core.plugins.module_utils.pf_decision import decide, has_rules, read_rule_set  # noqa: E402

TRACKER = 2000000001
SSH = {
    "source": "203.0.113.7", "destination": "192.168.1.10", "port": "22", "protocol": "tcp", "ipprotocol": "inet", "interface": "em0",
}  # fmt: skip
WEB = dict(SSH, port="443")
SSH6 = dict(SSH, source="2001:db8:bad::7", destination="2001:db8:1::10", ipprotocol="inet6")
OURS = 'block drop in quick on em0 inet proto tcp from 203.0.113.7 to 192.168.1.10 port = ssh flags any label "USER_RULE: Firebreak" ridentifier 2000000001'
OURS_SYN = OURS.replace("flags any", "flags S/SA")
OURS_ALL = OURS.replace(" proto tcp", "").replace(" port = ssh flags any", "")
OURS6 = OURS.replace("inet", "inet6").replace("203.0.113.7", "2001:db8:bad::7").replace("192.168.1.10", "2001:db8:1::10")
OURS6_ALL = OURS6.replace(" proto tcp", "").replace(" port = ssh flags any", "")
DENY = 'block drop in log inet all label "Default deny rule IPv4" ridentifier 1000000103'
DENY6 = 'block drop in log inet6 all label "Default deny rule IPv6" ridentifier 1000000105'
USER = ' label "USER_RULE: Allow monitoring" label "id:1720000001" ridentifier 1720000001'
GROUPS = {"em0": ["EDGES"], "em1": [], "em2": ["EDGES"], "ovpns1": ["openvpn"], "tun_wg0": ["WireGuard"]}
IFCONFIG = """\
em0: flags=8863<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\toptions=481249b<RXCSUM,TXCSUM,VLAN_MTU>
\tether 52:54:00:12:34:56
\tinet 198.51.100.2 netmask 0xffffff00 broadcast 198.51.100.255
\tinet6 fe80::5054:ff:fe12:3456%em0 prefixlen 64 scopeid 0x1
\tinet6 2001:db8:ff::2 prefixlen 64
\tgroups: EDGES
\tmedia: Ethernet autoselect (1000baseT <full-duplex>)
em1: flags=8863<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tinet 192.168.1.1 netmask 0xffffff00 broadcast 192.168.1.255
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
\tgroups: lo
ovpns1: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> metric 0 mtu 1500
\tinet 10.8.0.1 --> 10.8.0.2 netmask 0xffffff00
\tgroups: tun openvpn
"""
ROWS = []


def row(group, said, rules, expected, flow=SSH, **texts):
    ROWS.append((group, said, rules, flow, texts, (expected, "") if isinstance(expected, str) else expected))


def numbered(rules):
    """As `pfctl -vvsr` prints them, with counters."""
    lines = rules.strip("\n").split("\n") if rules.strip() else []
    counters = "  [ Evaluations: 12        Packets: 0         Bytes: 0           States: 0     ]"
    return "\n".join("@%d %s\n%s" % (number, line, counters) for number, line in enumerate(lines)) + "\n"


def answer(rules, flow, nat="", interfaces=GROUPS, tables=(), anchors=None, raw=False):
    tables = dict(tables)

    def is_in_table(name, address):
        return None if name not in tables else address in tables[name]

    def is_empty(kind, name):
        text = anchors.get((kind, name))
        return None if text is None else not has_rules(text)

    return decide(read_rule_set(rules if raw else numbered(rules), nat, interfaces, is_in_table, anchors and is_empty), flow, TRACKER)


def ahead(rule, ours=OURS, deny=DENY):
    return "\n".join([deny, rule, ours])


def after(rule, ours=OURS, deny=DENY):
    return "\n".join([deny, ours, rule])


def passing(group, said, text, matches, flow=SSH, ours=OURS, **texts):
    """One pass rule ahead of ours, which matches the flow or does not."""
    deny = DENY6 if flow["ipprotocol"] == "inet6" else DENY
    row(group, said, ahead(text + USER, ours, deny), "shadowed" if matches else "decides", flow, **texts)


# Who comes first
row("order", "our rule and the default deny", "\n".join([DENY, OURS]), "decides")
row("order", "our rule alone", OURS, "decides")
row("order", "no rule of ours", DENY, ("listed", "pf lists no block rule with tracker 2000000001"))
row("order", "no rules at all", "", ("listed", "pf lists no block rule"))
row("order", "our tracker on a pass rule", "pass in quick on em0 inet all flags S/SA keep state ridentifier 2000000001", ("listed", "no block rule"))
row("order", "a floating quick pass ahead",
    ahead("pass in quick inet proto tcp from any to 192.168.1.10 port = ssh flags S/SA keep state" + USER),
    ("shadowed", "floating rule 'Allow monitoring' (tracker 1720000001) passes it first"))  # fmt: skip
row("order", "a floating pass without direction ahead", ahead("pass quick inet all flags S/SA keep state" + USER), ("shadowed", "floating rule"))
row("order", "the same after ours", after("pass in quick inet all flags S/SA keep state" + USER), "decides")
row("order", "a quick pass of the same interface ahead", ahead("pass in quick on em0 inet all flags S/SA keep state" + USER),
    ("shadowed", "rule 'Allow monitoring' (tracker 1720000001) passes it first"))  # fmt: skip
row("order", "a pass that is not quick ahead", ahead("pass in on em0 inet all flags S/SA keep state" + USER), "decides")
row("order", "a pass that is not quick after", after("pass in on em0 inet all flags S/SA keep state" + USER), "decides")
row("order", "a quick block ahead", ahead("block drop in quick inet from 203.0.113.7 to any" + USER), "decides")
row("order", "a quick reject ahead", ahead("block return in quick inet from 203.0.113.7 to any" + USER), "decides")
row("order", "a block ahead of a pass ahead of ours",
    ahead("block drop in quick inet from 203.0.113.0/24 to any\npass in quick inet all flags S/SA keep state" + USER), "decides")  # fmt: skip
row("order", "a pass ahead of that block",
    ahead("pass in quick inet all flags S/SA keep state" + USER + "\nblock drop in quick inet from 203.0.113.0/24 to any"), "shadowed")  # fmt: skip
row("order", "a match rule ahead", ahead("match in on em0 inet all" + USER), "decides")
row("order", "a quick match rule ahead", ahead("match in quick on em0 inet all tag SEEN" + USER), "decides")
row("order", "a pass for the other direction ahead", ahead("pass out quick on em0 inet all flags S/SA keep state" + USER), "decides")
row("order", "ours is not quick, and a later pass is not either",
    "\n".join([DENY, OURS.replace(" quick", ""), "pass in on em0 inet all flags S/SA keep state" + USER]), ("shadowed", "passes it"))  # fmt: skip
row("order", "ours is not quick, and the last that matches", "\n".join(["pass in on em0 inet all flags S/SA keep state", OURS.replace(" quick", "")]), "decides")
row("order", "ours is not quick, and a quick pass follows",
    after("pass in quick on em0 inet all flags S/SA keep state" + USER, OURS.replace(" quick", "")), "shadowed")  # fmt: skip
row("order", "ours is not quick, and a later block is the last",
    after("block drop in on em0 inet all" + USER, OURS.replace(" quick", "")), ("listed", "its packets do not match this rule"))  # fmt: skip
row("order", "ours twice, the second one matches",
    "\n".join([DENY, OURS.replace("192.168.1.10", "192.168.1.11"), OURS]), "decides")  # fmt: skip
row("order", "ours twice, and a quick block between them drops the packets",
    "\n".join([DENY, OURS.replace("192.168.1.10", "192.168.1.11"), "block drop in quick inet from 203.0.113.7 to any" + USER, OURS]), "listed")  # fmt: skip
row("order", "ours for another destination", OURS.replace("168.1.10", "168.1.11") + "\n" + DENY,
    ("listed", "its packets do not match this rule: pfSense's rule 'Default deny rule IPv4' (tracker 1000000103) drops them"))  # fmt: skip
row("order", "ours for another destination, and no default deny", OURS.replace("168.1.10", "168.1.11"), ("shadowed", "no rule matches its packets, and pf passes them"))
row("order", "one of pfSense's own rules passes", ahead('pass in quick on em0 inet all flags S/SA keep state label "anti-lockout rule" ridentifier 10001'),
    ("shadowed", "pfSense's rule 'anti-lockout rule' (tracker 10001) passes it first"))  # fmt: skip
row("order", "a rule without label and tracker", ahead("pass in quick on em0 inet all flags S/SA keep state"), ("shadowed", "rule 1 passes it first"))

# Interfaces
for text, matches in [
    ("on em0", True), ("on em1", False), ("on EDGES", True), ("on openvpn", False), ("on WireGuard", False), ("on ! em1", True),
    ("on ! em0", False), ("on all", True), ("on LANS", False), ("on em0.100", False), ("on ! EDGES", False), ("on em00", False),
]:  # fmt: skip
    passing("interfaces", text, "pass in quick %s inet all flags S/SA keep state" % text, matches)
    passing("interfaces", text + ", by ifconfig", "pass in quick %s inet all flags S/SA keep state" % text, matches, interfaces=IFCONFIG)
VPN = dict(SSH, source="10.8.0.7", interface="ovpns1")
OURS_VPN = OURS.replace("em0", "ovpns1").replace("203.0.113.7", "10.8.0.7")
row("interfaces", "the OpenVPN tab passes what the assigned interface blocks",
    ahead("pass in quick on openvpn inet all flags S/SA keep state" + USER, OURS_VPN), ("shadowed", "group rule 'Allow monitoring'"), VPN)  # fmt: skip
row("interfaces", "the OpenVPN tab, groups by ifconfig",
    ahead("pass in quick on openvpn inet all flags S/SA keep state" + USER, OURS_VPN), "shadowed", VPN, interfaces=IFCONFIG)  # fmt: skip
row("interfaces", "it enters by a group, and rules are for interfaces", "\n".join([DENY, OURS.replace("em0", "EDGES"), "pass in quick on em0 inet all flags any" + USER]),
    "decides", dict(SSH, interface="EDGES"))  # fmt: skip
row("interfaces", "it enters by a group, and an interface passes it", ahead("pass in quick on em0 inet all flags any" + USER, OURS.replace("em0", "EDGES")),
    "listed", dict(SSH, interface="EDGES"))  # fmt: skip
row("interfaces", "our rule on a group", "\n".join([DENY, OURS.replace("em0", "EDGES")]), "decides")
row("interfaces", "our rule on a group without this interface", "\n".join([DENY, OURS.replace("em0", "openvpn")]), ("listed", "do not match this rule"))
row("interfaces", "a group ahead, and groups are not known", ahead("pass in quick on EDGES inet all flags S/SA keep state" + USER),
    ("listed", "group rule 'Allow monitoring' (tracker 1720000001) is for an interface group whose members are not known"), interfaces="")  # fmt: skip
row("interfaces", "our rule on a group that is not known", "\n".join([DENY, OURS.replace("em0", "EDGES")]), "listed", interfaces="")
row("interfaces", "a blocking group is not known", ahead("block drop in quick on EDGES inet all" + USER), "decides", interfaces="")
row("interfaces", "another interface, and groups are not known", ahead("pass in quick on em1 inet all flags S/SA keep state" + USER), "decides", interfaces="")
row("interfaces", "one tracker on several interfaces is a floating rule",
    ahead("pass in quick on em0 inet all flags S/SA keep state" + USER + "\npass in quick on em2 inet all flags S/SA keep state" + USER),
    ("shadowed", "floating rule 'Allow monitoring'"))  # fmt: skip
row("interfaces", "pf skips the interface", "\n".join([DENY, OURS]), ("shadowed", "pf does not filter on em0 (set skip)"), interfaces="all\nem0 (skip)\n\tCleared: x\nem1\n")
row("interfaces", "pf skips another one", "\n".join([DENY, OURS]), "decides", interfaces="all\nem0\nlo0 (skip)\n" + IFCONFIG)
ANYWHERE = dict(SSH, interface=None)
row("interfaces", "it may enter anywhere, our rule is everywhere", "\n".join([DENY, OURS.replace(" on em0", "")]), "decides", ANYWHERE)
row("interfaces", "it may enter anywhere, ours is on one", "\n".join([DENY, OURS]), "decides", ANYWHERE)
row("interfaces", "it may enter anywhere, and another interface passes it",
    after("pass in quick on em1 inet all flags S/SA keep state" + USER), ("shadowed", "passes it"), ANYWHERE)  # fmt: skip
row("interfaces", "it may enter anywhere, loopback is not such a place", after("pass in quick on lo0 inet all flags S/SA keep state"), "decides", ANYWHERE,
    interfaces=IFCONFIG)  # fmt: skip
row("interfaces", "it may enter anywhere, interfaces by the rules alone",
    after("pass in quick on em3 inet all flags S/SA keep state" + USER), "shadowed", ANYWHERE, interfaces="")  # fmt: skip
row("interfaces", "antispoof", ahead("block drop in log on ! em0 inet from 198.51.100.0/24 to any ridentifier 1000001570"), "decides")

# Families and protocols
passing("protocols", "IPv6 does not concern IPv4", "pass in quick inet6 all flags S/SA keep state", False)
passing("protocols", "no family", "pass in quick all flags S/SA keep state", True)
passing("protocols", "IPv6", "pass in quick inet6 all flags S/SA keep state", True, SSH6, OURS6)
passing("protocols", "IPv6 network", "pass in quick inet6 from 2001:db8:bad::/48 to any flags S/SA keep state", True, SSH6, OURS6)
passing("protocols", "another IPv6 network", "pass in quick inet6 from 2001:db8:bae::/48 to any flags S/SA keep state", False, SSH6, OURS6)
passing("protocols", "IPv4 does not concern IPv6", "pass in quick inet all flags S/SA keep state", False, SSH6, OURS6)
passing("protocols", "an IPv4 address without a family", "pass in quick from 203.0.113.7 to any flags S/SA keep state", True)
passing("protocols", "the same and IPv6", "pass in quick from 203.0.113.7 to any flags S/SA keep state", False, SSH6, OURS6)
passing("protocols", "all but an IPv4 address", "pass in quick from ! 192.0.2.1 to any flags S/SA keep state", False, SSH6, OURS6)
for name, matches in [
    ("tcp", True), ("udp", False), ("icmp", False), ("esp", False), ("6", True), ("17", False), ("igmp", False), ("{ tcp udp }", True),
    ("{ udp, icmp }", False), ("gre", False), ("sctp", False),
]:  # fmt: skip
    passing("protocols", "proto " + name, "pass in quick inet proto %s all flags S/SA keep state" % name, matches)
BOTH = dict(SSH, protocol="tcp/udp")
OURS_UDP = OURS.replace("proto tcp", "proto udp").replace(" flags any", "")
row("protocols", "tcp/udp by two rules", "\n".join([DENY, OURS, OURS_UDP]), "decides", BOTH)
row("protocols", "tcp/udp, and udp passes first", ahead("pass in quick inet proto udp all keep state" + USER, OURS + "\n" + OURS_UDP), "shadowed", BOTH)
row("protocols", "tcp/udp, and udp passes between", "\n".join([DENY, OURS, "pass in quick inet proto udp all keep state" + USER, OURS_UDP]), "shadowed", BOTH)
row("protocols", "tcp/udp, ours is for tcp only, and udp is denied", "\n".join([DENY, OURS]), "decides", BOTH)
row("protocols", "tcp/udp, ours is for tcp only, and udp passes", after("pass in quick inet proto udp all keep state" + USER), "shadowed", BOTH)
UDP = dict(SSH, protocol="udp", port="53")
OURS_DNS = OURS_UDP.replace("port = ssh", "port = domain")
row("protocols", "udp", "\n".join([DENY, OURS_DNS]), "decides", UDP)
row("protocols", "udp, and a pass for all", ahead("pass in quick inet all flags S/SA keep state" + USER, OURS_DNS), "shadowed", UDP)
ANY = dict(SSH, protocol="any", port="")
row("protocols", "any", "\n".join([DENY, OURS_ALL]), "decides", ANY)
for name in ("tcp", "udp", "icmp", "esp", "gre", "igmp", "89"):
    passing("protocols", "any, and %s passes" % name, "pass in quick inet proto %s all keep state" % name, True, ANY, OURS_ALL)
row("protocols", "any, says which protocol", ahead("pass in quick inet proto udp all keep state" + USER, OURS_ALL), ("shadowed", "passes it first, but only UDP"), ANY)
passing("protocols", "any, and one port passes", "pass in quick inet proto tcp from any to any port = http flags S/SA keep state", True, ANY, OURS_ALL)
passing("protocols", "any, and another host's port passes", "pass in quick inet proto tcp from any to 192.168.1.11 port = http flags S/SA keep state", False, ANY, OURS_ALL)
row("protocols", "a protocol without ports", "\n".join([DENY, OURS_ALL]), "decides", dict(SSH, protocol="esp", port=""))
row("protocols", "an unknown protocol of the flow", "\n".join([DENY, OURS]), ("listed", "the flow names a protocol"), dict(SSH, protocol="nonsense"))

# Addresses
for text, matches in [
    ("from any to any", True), ("from 203.0.113.7 to any", True), ("from 203.0.113.8 to any", False), ("from 203.0.113.0/24 to any", True),
    ("from 203.0.113.0/29 to any", True), ("from 203.0.113.8/29 to any", False), ("from 203.0.113.7/32 to any", True),
    ("from 0.0.0.0/0 to any", True), ("from ! 203.0.113.7 to any", False), ("from ! 203.0.113.8 to any", True),
    ("from ! 203.0.113.0/24 to any", False), ("from ! 192.0.2.0/24 to any", True), ("from any to 192.168.1.10", True),
    ("from any to ! 192.168.1.10", False), ("from any to ! 192.168.1.0/25", False), ("from any to 192.168.0.0/16", True),
    ("from any to 192.168.1.11", False), ("from any to ! 192.168.1.128/25", True), ("from 192.168.1.10 to 203.0.113.7", False),
    ("from 203.0.113.1 - 203.0.113.9 to any", True), ("from 203.0.113.8 - 203.0.113.9 to any", False),
    ("from { 192.0.2.1, 203.0.113.7 } to any", True), ("from { 192.0.2.1 203.0.113.8 } to any", False),
]:  # fmt: skip
    passing("addresses", text, "pass in quick inet %s flags S/SA keep state" % text, matches)
for text, tables, matches in [
    ("from <friends> to any", {"friends": ["203.0.113.7"]}, True), ("from <friends> to any", {"friends": []}, False),
    ("from <friends:1> to any", {"friends": ["203.0.113.7"]}, True), ("from <friends:0> to any", {}, False),
    ("from ! <friends> to any", {"friends": ["203.0.113.7"]}, False), ("from ! <friends> to any", {"friends": []}, True),
    ("from ! <friends:0> to any", {}, True), ("from any to <servers:2>", {"servers": ["192.168.1.10"]}, True),
    ("from any to ! <servers:2>", {"servers": ["192.168.1.10"]}, False), ("from any to <servers:2>", {"servers": ["192.168.1.11"]}, False),
    ("from <friends:1> to <servers:2>", {"friends": ["203.0.113.7"], "servers": []}, False),
    ("from <friends:*> to <servers:*>", {"friends": ["203.0.113.7"], "servers": ["192.168.1.10"]}, True),
]:  # fmt: skip
    passing("addresses", text + " %s" % sorted(tables), "pass in quick inet %s flags S/SA keep state" % text, matches, tables=tables)
row("addresses", "a table that cannot be asked", ahead("pass in quick inet from <friends:3> to any flags S/SA keep state" + USER),
    ("listed", "floating rule 'Allow monitoring' (tracker 1720000001) depends on the table <friends>, whose addresses are not known"))  # fmt: skip
row("addresses", "a table that cannot be asked, of a block rule", ahead("block drop in log quick inet from <snort2c:3> to any"), "decides")
row("addresses", "a table that cannot be asked does not matter on another interface",
    ahead("pass in quick on em1 inet from <friends:3> to any flags S/SA keep state" + USER), "decides")  # fmt: skip
row("addresses", "a table that cannot be asked, and a certain pass after it",
    ahead("pass in quick inet from <friends:3> to any flags S/SA keep state" + USER + "\npass in quick inet all flags S/SA keep state" + USER), "shadowed")  # fmt: skip
row("addresses", "an unknown block may come before a certain pass",
    ahead("block drop in quick inet from <friends:3> to any" + USER + "\npass in quick inet all flags S/SA keep state" + USER), ("listed", "<friends>"))  # fmt: skip
SELF = dict(SSH, destination="198.51.100.2")
OURS_SELF = OURS.replace("192.168.1.10", "198.51.100.2")
for text, matches in [
    ("(self:5)", True), ("(em0:2)", True), ("(em1:1)", False), ("(em0)", True), ("(self)", True), ("(em0:network:2)", True),
    ("(em1:network:1)", False), ("! (self:5)", False), ("! (em1:1)", True), ("(EDGES:2)", True),
]:  # fmt: skip
    passing("addresses", "to " + text, "pass in quick inet from any to %s flags S/SA keep state" % text, matches, SELF, OURS_SELF, interfaces=IFCONFIG)
passing("addresses", "(self) and another host", "pass in quick inet from any to (self:5) flags S/SA keep state", False, interfaces=IFCONFIG)
passing("addresses", "from (em1:network)", "pass in quick inet from (em1:network:1) to any flags S/SA keep state", False, interfaces=IFCONFIG)
passing("addresses", "IPv6 (em0:network)", "pass in quick inet6 from (em0:network:2) to any flags S/SA keep state", True,
        dict(SSH6, source="2001:db8:ff::7"), OURS6.replace("2001:db8:bad::7", "2001:db8:ff::7"), interfaces=IFCONFIG)  # fmt: skip
row("addresses", "(self) is not known", ahead("pass in quick inet from any to (self:5) flags S/SA keep state" + USER),
    ("listed", "depends on the addresses of (self:5), which are not known"))  # fmt: skip
row("addresses", "(self) of a block rule is not known", ahead("block drop in quick inet from any to (self:5)" + USER), "decides")
row("addresses", "no-route", ahead("pass in quick inet from no-route to any flags S/SA keep state" + USER), ("listed", "depends on the routes"))

# Ports
for text, matching, other in [
    ("port = ssh", [22], [21, 23]), ("port 22", [22], [23]), ("port = 22", [22], [2222]), ("port != ssh", [21, 23], [22]),
    ("port < 23", [22], [23]), ("port <= 22", [22], [23]), ("port > 21", [22], [21]), ("port >= 22", [22], [21]),
    ("port 20:25", [20, 22, 25], [19, 26]), ("port 19 >< 26", [20, 25], [19, 26]), ("port 20 <> 25", [19, 26], [20, 25]),
    ("port { 22, 80 }", [22, 80], [23]), ("port { 20:22 443 }", [21, 443], [23]), ("port = https", [443], [22]),
    ("port = tproxy", [8081], [8080]), ("port 1024:65535", [65535], [22]),
]:  # fmt: skip
    for port in matching + other:
        passing("ports", "%s and %d" % (text, port), "pass in quick inet proto tcp from any to any %s flags S/SA keep state" % text, port in matching,
                dict(SSH, port=str(port)), OURS.replace("port = ssh", "port = %d" % port))  # fmt: skip
row("ports", "only some source ports", ahead("pass in quick inet proto tcp from any port >= 1024 to any port = ssh flags S/SA keep state" + USER),
    ("shadowed", "passes it first, but only from source port 1024:65535"))  # fmt: skip
row("ports", "one source port", ahead("pass in quick inet proto tcp from any port = domain to any flags S/SA keep state" + USER), ("shadowed", "source port 53"))
row("ports", "a name that is not known", ahead("pass in quick inet proto tcp from any to any port = no-such-service flags S/SA keep state" + USER),
    ("listed", "names a port that the firewall does not know: no-such-service"))  # fmt: skip
row("ports", "a name that is not known, for another host",
    ahead("pass in quick inet proto tcp from any to 192.168.1.11 port = no-such-service flags S/SA keep state" + USER), "decides")  # fmt: skip
RANGE = dict(SSH, port="8000:8010")
OURS_RANGE = OURS.replace("port = ssh", "port 8000:8010")
row("ports", "a flow of a range", "\n".join([DENY, OURS_RANGE]), "decides", RANGE)
for text, matches in [
    ("= 8000", True), ("= 8005", True), ("= 8010", True), ("= 7999", False), ("= 8011", False), ("7000:8000", True), ("8010:9000", True),
    ("8002 >< 8004", True), ("8010 >< 8020", False), ("8000 <> 8010", False), ("8001 <> 8010", True), ("!= 8005", True), ("< 8000", False), ("> 8010", False),
]:  # fmt: skip
    passing("ports", "the range and " + text, "pass in quick inet proto tcp from any to any port %s flags S/SA keep state" % text, matches, RANGE, OURS_RANGE)
row("ports", "ours covers a part of the range, and the rest is denied", "\n".join([DENY, OURS.replace("= ssh", "8000:8005")]), "decides", RANGE)
row("ports", "ours covers a part of the range, and the rest passes",
    after("pass in quick on em0 inet all flags S/SA keep state" + USER, OURS.replace("= ssh", "8000:8005")),
    ("shadowed", "passes it, but only to port 8006:8010"), RANGE)  # fmt: skip
row("ports", "a block ahead covers the port that passes",
    ahead("block drop in quick inet proto tcp from any to any port = 8005\npass in quick inet proto tcp from any to any port = 8005 flags S/SA keep state", OURS_RANGE),
    "decides", RANGE)  # fmt: skip
row("ports", "a rule for two ports of the range, and the second one passes after it",
    ahead("block drop in inet proto tcp from any to any port { 8001, 8003 }\npass in quick inet proto tcp from any to any port = 8003 flags S/SA" + USER, OURS_RANGE),
    ("shadowed", "but only to port 8003"), RANGE)  # fmt: skip
EVERY = dict(SSH, port="")
OURS_EVERY = OURS.replace(" port = ssh", "")
row("ports", "every port", "\n".join([DENY, OURS_EVERY]), "decides", EVERY)
row("ports", "every port, and one passes", ahead("pass in quick inet proto tcp from any to any port = smtp flags S/SA keep state" + USER, OURS_EVERY),
    ("shadowed", "but only to port 25"), EVERY)  # fmt: skip
row("ports", "the flow's port is not a number", "\n".join([DENY, OURS]), ("listed", "the flow has a port that is not a number"), dict(SSH, port="ssh"))

# Networks
NET = dict(SSH, source="203.0.113.0/24")
OURS_NET = OURS.replace("203.0.113.7", "203.0.113.0/24")
row("networks", "a network as source", "\n".join([DENY, OURS_NET]), "decides", NET)
for text, matches in [
    ("from 203.0.113.7", True), ("from 203.0.113.255", True), ("from 203.0.112.0/24", False), ("from 203.0.113.128/25", True),
    ("from 203.0.0.0/16", True), ("from ! 203.0.113.0/24", False), ("from ! 203.0.113.0/25", True), ("from 203.0.114.0", False),
]:  # fmt: skip
    passing("networks", "a network and " + text, "pass in quick inet %s to any flags S/SA keep state" % text, matches, NET, OURS_NET)
row("networks", "says which part", ahead("pass in quick inet from 203.0.113.128/25 to any flags S/SA keep state" + USER, OURS_NET),
    ("shadowed", "passes it first, but only from 203.0.113.128 - 203.0.113.255"), NET)  # fmt: skip
row("networks", "a table and a network", ahead("pass in quick inet from <friends:9> to any flags S/SA keep state" + USER, OURS_NET),
    ("listed", "<friends>"), NET, tables={"friends": ["203.0.113.7"]})  # fmt: skip
row("networks", "ours is for one host of it, the rest is denied", "\n".join([DENY, OURS]), "decides", NET)
row("networks", "ours is for one host of it, the rest passes", after("pass in quick on em0 inet all flags S/SA keep state" + USER), "shadowed", NET)
row("networks", "two rules of ours for the halves",
    "\n".join([OURS.replace("203.0.113.7", "203.0.113.0/25"), OURS.replace("203.0.113.7", "203.0.113.128/25"), "pass in quick all flags any"]), "decides", NET)  # fmt: skip
INSIDE = dict(SSH, destination="192.168.1.0/24")
row("networks", "a network as destination", "\n".join([DENY, OURS.replace("192.168.1.10", "192.168.1.0/24")]), "decides", INSIDE)
row("networks", "one host of it passes",
    ahead("pass in quick inet proto tcp from any to 192.168.1.25 port = ssh flags S/SA keep state" + USER, OURS.replace("192.168.1.10", "192.168.1.0/24")),
    ("shadowed", "but only to 192.168.1.25"), INSIDE)  # fmt: skip
NET6 = dict(SSH6, source="2001:db8:bad::/48")
row("networks", "an IPv6 network", "\n".join([DENY6, OURS6.replace("2001:db8:bad::7", "2001:db8:bad::/48")]), "decides", NET6)
passing("networks", "an IPv6 network and a host", "pass in quick inet6 from 2001:db8:bad:1::1 to any flags S/SA keep state", True, NET6,
        OURS6.replace("2001:db8:bad::7", "2001:db8:bad::/48"))  # fmt: skip
row("networks", "every source", "\n".join([DENY, OURS.replace("203.0.113.7", "any")]), "decides", dict(SSH, source="any"))
row("networks", "another family", "\n".join([DENY, OURS]), ("listed", "the flow has an address of another family"), dict(SSH, source="2001:db8::1"))
row("networks", "both families", "\n".join([DENY, OURS]), ("listed", "the flow has an address family"), dict(SSH, ipprotocol="inet46"))
row("networks", "a reason that names two long networks",
    ahead("pass in quick inet6 proto tcp from 2001:db8:bad:1000::/52 to 2001:db8:1:0:8000::/65 port 1000:2000 flags S/SA label \"USER_RULE: %s\" ridentifier 4294967295"
          % ("x" * 60), OURS6.replace("2001:db8:bad::7", "2001:db8:bad::/48").replace("2001:db8:1::10", "2001:db8:1::/64").replace("= ssh", "1:65000"), DENY6),
    ("shadowed", "but only from 2001:db8:bad:1000:: - 2001:db8:bad:1fff:ffff:ffff:ffff:ffff to 2001:db8:1:0:8000:"),
    dict(SSH6, source="2001:db8:bad::/48", destination="2001:db8:1::/64", port="1:65000"))  # fmt: skip
row("networks", "not an address", "\n".join([DENY, OURS]), ("listed", "the flow has a part"), dict(SSH, source="attacker.example"))

# Flags, and packets of open connections
for text, matches in [
    ("flags S/SA", True), ("flags any", True), ("flags S/FSA", True), ("flags S/FSRPAUEW", True), ("flags A/A", True), ("flags SA/SA", False),
    ("flags R/R", False), ("flags F/FSA", False),
]:  # fmt: skip
    passing("flags", text, "pass in quick inet proto tcp from any to any port = ssh %s keep state" % text, matches)
row("flags", "ours is S/SA, and open connections are denied", "\n".join([DENY, OURS_SYN]), "decides")
row("flags", "ours is S/SA, and a later pass has any flags",
    after("pass in quick on em0 inet proto tcp from any to 192.168.1.10 port = ssh flags any keep state" + USER, OURS_SYN),
    ("shadowed", "rule 'Allow monitoring' (tracker 1720000001) passes packets of its open connections"))  # fmt: skip
row("flags", "ours has any flags, and a later pass has as well",
    after("pass in quick on em0 inet proto tcp from any to 192.168.1.10 port = ssh flags any keep state" + USER), "decides")  # fmt: skip
row("flags", "a sloppy state",
    after("pass in quick on em0 inet proto tcp from any to 192.168.1.10 port = ssh flags any keep state (sloppy)" + USER, OURS_SYN), ("shadowed", "open connections"))  # fmt: skip
row("flags", "a sloppy state with S/SA", after("pass in quick on em0 inet proto tcp from any to any flags S/SA keep state (sloppy)" + USER, OURS_SYN), "decides")
row("flags", "a pass without state", after("pass in quick on em0 inet proto tcp from any to any no state" + USER, OURS_SYN), ("shadowed", "open connections"))
row("flags", "a pass that names no flags has S/SA", after("pass in quick on em0 inet proto tcp from any to any keep state" + USER, OURS_SYN), "decides")
row("flags", "the bypass for static routes",
    ahead('pass quick on em0 inet proto tcp from 203.0.113.0/24 to 192.168.1.0/24 flags any keep state (sloppy) label "pass traffic between statically routed subnets"'),
    ("shadowed", "pass traffic between statically routed subnets"))  # fmt: skip
row("flags", "ours is S/SA, and no default deny", OURS_SYN, ("shadowed", "no rule matches its packets, and pf passes them"))
row("flags", "flags do not concern UDP", ahead("pass in quick inet all flags S/SA keep state" + USER, OURS_DNS), "shadowed", UDP)
row("flags", "synproxy", ahead("pass in quick on em0 inet proto tcp from any to any flags S/SA synproxy state" + USER), "shadowed")
row("flags", "modulate", ahead("pass in quick on em0 inet proto tcp from any to any flags S/SA modulate state" + USER), "shadowed")

# ICMP
PING = dict(SSH, protocol="icmp", port="")
OURS_PING = OURS_ALL.replace("inet from", "inet proto icmp from")
row("icmp", "icmp", "\n".join([DENY, OURS_PING]), "decides", PING)
for text, matches in [
    ("proto icmp all icmp-type echoreq", True), ("proto icmp all icmp-type unreach", True), ("proto icmp all", True), ("proto tcp all", False),
    ("proto icmp from 192.0.2.1 to any icmp-type echoreq", False), ("proto icmp all icmp-type 8", True), ("proto icmp all icmp-type { echoreq,timex }", True),
]:  # fmt: skip
    passing("icmp", text, "pass in quick inet %s keep state" % text, matches, PING, OURS_PING)
row("icmp", "a block for every type but one", "\n".join([DENY, "pass in quick inet proto icmp all icmp-type timex keep state" + USER, OURS_PING]), "shadowed", PING)
row("icmp", "a type that is blocked first",
    ahead("block drop in quick inet proto icmp all icmp-type echoreq\npass in quick inet proto icmp all icmp-type echoreq keep state", OURS_PING), "decides", PING)  # fmt: skip
row("icmp", "a code", ahead("pass in quick inet proto icmp all icmp-type unreach code needfrag keep state" + USER, OURS_PING), ("listed", "depends on an ICMP code"), PING)
row("icmp", "a type that is not known", ahead("pass in quick inet proto icmp all icmp-type nonsense keep state" + USER, OURS_PING), ("listed", "does not know: nonsense"), PING)
PING6 = dict(SSH6, protocol="icmp", port="")
ESSENTIAL = 'pass quick inet6 proto ipv6-icmp all icmp6-type %s keep state ridentifier 1000000107 label "Pass IPv6 ICMP essential"'
ESSENTIALS = "\n".join(ESSENTIAL % name for name in ("unreach", "toobig", "neighbrsol", "neighbradv"))
row("icmp", "icmp6", "\n".join([DENY6, OURS6_ALL]), "decides", PING6)
row("icmp", "ICMPv6 essentials ahead", ahead(ESSENTIALS, OURS6_ALL, DENY6),
    ("listed", "pfSense's rule 'Pass IPv6 ICMP essential' (tracker 1000000107) passes it first, but only type 1"), PING6)  # fmt: skip
row("icmp", "ICMPv6 essentials ahead, any protocol", ahead(ESSENTIALS, OURS6_ALL, DENY6), ("listed", "but only ICMPv6 type 1"), dict(SSH6, protocol="any", port=""))
row("icmp", "ICMPv6 essentials ahead, and ours is for another host", ahead(ESSENTIALS, OURS6_ALL.replace("1::10", "1::11"), DENY6), "shadowed", PING6)
row("icmp", "CARP ahead, any protocol", ahead("pass quick proto carp all no state ridentifier 1000000201", OURS_ALL), ("listed", "but only protocol 112"), ANY)
row("icmp", "ICMPv6 essentials ahead, TCP", ahead(ESSENTIALS, OURS6, DENY6), "decides", SSH6)
row("icmp", "echo ahead", ahead("pass in quick inet6 proto ipv6-icmp all icmp6-type echoreq keep state" + USER, OURS6_ALL, DENY6), "shadowed", PING6)
DHCP = 'pass in quick on em0 proto udp from any port = bootps to any port = bootpc no state label "allow dhcp client out WAN" ridentifier 1000000561'
row("icmp", "answers to a DHCP client pass first", ahead(DHCP, OURS_ALL), ("listed", "allow dhcp client out WAN"), ANY)
row("icmp", "answers to a DHCP client are not TCP", ahead(DHCP), "decides")
row("icmp", "a flow to a DHCP client's port", "\n".join([DHCP, DENY, OURS_UDP.replace("port = ssh", "port = bootpc")]), ("listed", "but only from source port 67"),
    dict(UDP, port="68"))  # fmt: skip

# Translations
WEB_OURS = OURS.replace("= ssh", "= https")
FORWARD = "rdr%s on em0 inet proto tcp from any to 198.51.100.2 port = %s -> 192.168.1.10 port %d\n"
row("translations", "a forward with pass to the target", "\n".join([DENY, OURS]),
    ("shadowed", "the forward of 198.51.100.2 port 22 to 192.168.1.10 port 22 passes it before any rule, so no rule can block it; change the forward"), nat=FORWARD % (" pass", "ssh", 22))  # fmt: skip
row("translations", "2222 -> 22 with pass, seen by its target", "\n".join([DENY, OURS]), ("shadowed", "port 2222 to 192.168.1.10 port 22"),
    nat=FORWARD % (" pass", "2222", 22))  # fmt: skip
row("translations", "a forward without pass to the target", "\n".join([DENY, OURS]), "decides", nat=FORWARD % ("", "2222", 22))
row("translations", "its rule after ours", after("pass in quick on em0 inet proto tcp from any to 192.168.1.10 port = ssh flags S/SA keep state" + USER), "decides",
    nat=FORWARD % ("", "2222", 22))  # fmt: skip
row("translations", "a forward with pass to another host", "\n".join([DENY, OURS]), "decides", nat=(FORWARD % (" pass", "2222", 22)).replace("168.1.10", "168.1.11"))
row("translations", "a forward with pass to another port", "\n".join([DENY, OURS]), "decides", nat=FORWARD % (" pass", "2222", 23))
row("translations", "a forward with pass on another interface", "\n".join([DENY, OURS]), "decides", nat=(FORWARD % (" pass", "2222", 22)).replace("em0", "em1"))
row("translations", "a forward with pass on a group", "\n".join([DENY, OURS]), "shadowed", nat=(FORWARD % (" pass", "2222", 22)).replace("em0", "EDGES"))
row("translations", "a forward with pass on a group that is not known", "\n".join([DENY, OURS]), "listed", interfaces="",
    nat=(FORWARD % (" pass", "2222", 22)).replace("em0", "EDGES"))  # fmt: skip
row("translations", "a forward with pass for another source", "\n".join([DENY, OURS]), "decides", nat=(FORWARD % (" pass", "2222", 22)).replace("from any", "from 192.0.2.0/24"))
row("translations", "a forward with pass for this source", "\n".join([DENY, OURS]), "shadowed", nat=(FORWARD % (" pass", "2222", 22)).replace("from any", "from 203.0.113.0/24"))
row("translations", "a forward with pass for UDP", "\n".join([DENY, OURS]), "decides", nat=(FORWARD % (" pass", "2222", 22)).replace("tcp", "udp"))
row("translations", "no rdr before it", "\n".join([DENY, OURS]), "decides",
    nat="no rdr on em0 inet proto tcp from any to 198.51.100.2 port = 2222\n" + FORWARD % (" pass", "2222", 22))  # fmt: skip
row("translations", "no rdr for another source before it", "\n".join([DENY, OURS]), "shadowed",
    nat="no rdr on em0 inet proto tcp from 192.0.2.1 to 198.51.100.2 port = 2222\n" + FORWARD % (" pass", "2222", 22))  # fmt: skip
row("translations", "another forward before it takes the packets", "\n".join([DENY, OURS]), "decides",
    nat=(FORWARD % ("", "2222", 22)).replace("168.1.10", "168.1.11") + FORWARD % (" pass", "2222", 22))  # fmt: skip
PUBLIC = dict(SSH, destination="198.51.100.2", port="2222")
OURS_PUBLIC = OURS.replace("192.168.1.10 port = ssh", "198.51.100.2 port = 2222")
INNER = "pass in quick on em0 inet proto tcp from any to 192.168.1.10 port = ssh flags S/SA keep state"
row("translations", "the public side, and a rule passes the inner one", "\n".join([DENY, OURS_PUBLIC, INNER + USER]),
    ("shadowed", "after the forward of 198.51.100.2 port 2222 to 192.168.1.10 port 22, rule 'Allow monitoring' (tracker 1720000001) passes it"),
    PUBLIC, nat=FORWARD % ("", "2222", 22))  # fmt: skip
row("translations", "the public side, and nothing passes the inner one", "\n".join([DENY, OURS_PUBLIC]),
    ("listed", "its packets do not match this rule: pfSense's rule 'Default deny"), PUBLIC, nat=FORWARD % ("", "2222", 22))  # fmt: skip
row("translations", "the public side with pass", "\n".join([DENY, OURS_PUBLIC]), ("shadowed", "before any rule"), PUBLIC, nat=FORWARD % (" pass", "2222", 22))
row("translations", "the public side of another port", "\n".join([DENY, OURS_PUBLIC, INNER + USER]), "decides", PUBLIC, nat=FORWARD % ("", "2223", 22))
row("translations", "the inner side is blocked", "\n".join([DENY, OURS, INNER + USER]), "decides", SSH, nat=FORWARD % ("", "2222", 22))
row("translations", "the public side, and our rule is for the inner one", "\n".join([DENY, OURS, INNER + USER]), "decides", PUBLIC, nat=FORWARD % ("", "2222", 22))
row("translations", "a range of the public side, one port of it forwarded", "\n".join([DENY, OURS_PUBLIC.replace("= 2222", "2220:2225"), INNER + USER]),
    "shadowed", dict(PUBLIC, port="2220:2225"), nat=FORWARD % ("", "2222", 22))  # fmt: skip
row("translations", "a forward of two ports of a range, and the second one passes",
    "\n".join([DENY, OURS_PUBLIC.replace("= 2222", "2220:2225"), INNER.replace("ssh", "2224") + USER]), "shadowed", dict(PUBLIC, port="2220:2225"),
    nat="rdr on em0 inet proto tcp from any to 198.51.100.2 port { 2222 2224 } -> 192.168.1.10\n")  # fmt: skip
row("translations", "the target's own packets go elsewhere, and forwarded ones pass",
    "\n".join([DENY, OURS.replace("168.1.10", "168.1.99"), INNER + USER]), ("shadowed", "after the forward of 198.51.100.2 port 2222"),
    nat="rdr on em0 inet proto tcp from any to 192.168.1.10 port = ssh -> 192.168.1.99\n" + FORWARD % ("", "2222", 22))  # fmt: skip
SHIFT = "rdr%s on em0 inet proto tcp from any to 198.51.100.2 port 8000:8010 -> 192.168.1.10 port 9000:9010\n"
for port, level in [("9000", "shadowed"), ("9010", "shadowed"), ("9011", "decides"), ("8999", "decides"), ("8005", "decides"), ("9005:9020", "shadowed")]:
    row("translations", "a range of ports and " + port, "\n".join([DENY, OURS.replace("= ssh", port)]), level, dict(SSH, port=port), nat=SHIFT % " pass")
row("translations", "a range keeps its distances: 8003 is 9003",
    "\n".join([DENY, OURS_PUBLIC.replace("2222", "8003"), INNER.replace("ssh", "9003") + USER]), "shadowed", dict(PUBLIC, port="8003"), nat=SHIFT % "")  # fmt: skip
row("translations", "8003 is not 9004",
    "\n".join([DENY, OURS_PUBLIC.replace("2222", "8003"), INNER.replace("ssh", "9004") + USER]), "listed", dict(PUBLIC, port="8003"), nat=SHIFT % "")  # fmt: skip
row("translations", "an open range",
    "\n".join([DENY, OURS_PUBLIC.replace("2222", "8003"), INNER.replace("ssh", "9003") + USER]), "shadowed", dict(PUBLIC, port="8003"),
    nat=(SHIFT % "").replace("9000:9010", "9000:*"))  # fmt: skip
row("translations", "a range that is shorter than what it takes", "\n".join([DENY, OURS.replace("= ssh", "= 9003")]), ("listed", "more than one address or port"),
    dict(SSH, port="9003"), nat=(SHIFT % " pass").replace("9010", "9005"))  # fmt: skip
ONE = "rdr on em0 inet proto tcp from any to 198.51.100.2 -> 192.168.1.10\n"
row("translations", "a forward of all ports", "\n".join([DENY, OURS_PUBLIC, INNER.replace("ssh", "2222") + USER]), "shadowed", PUBLIC, nat=ONE)
row("translations", "a forward to a table with pass", "\n".join([DENY, OURS]), "shadowed", nat=(FORWARD % (" pass", "2222", 22)).replace("-> 192.168.1.10", "-> <servers>"),
    tables={"servers": ["192.168.1.10"]})  # fmt: skip
row("translations", "a forward to a table without this host", "\n".join([DENY, OURS]), "decides",
    nat=(FORWARD % (" pass", "2222", 22)).replace("-> 192.168.1.10", "-> <servers>"), tables={"servers": []})  # fmt: skip
row("translations", "a forward to a table that cannot be asked", "\n".join([DENY, OURS]), "listed", nat=(FORWARD % (" pass", "2222", 22)).replace("-> 192.168.1.10", "-> <servers>"))
row("translations", "a forward to a list with pass", "\n".join([DENY, OURS]), "listed",
    nat=(FORWARD % (" pass", "2222", 22)).replace("-> 192.168.1.10", "-> { 192.168.1.10, 192.168.1.11 }").strip() + " round-robin\n")  # fmt: skip
row("translations", "the public side of a forward to a list", "\n".join([DENY, OURS_PUBLIC]), "listed", PUBLIC,
    nat=(FORWARD % ("", "2222", 22)).replace("-> 192.168.1.10", "-> { 192.168.1.10, 192.168.1.11 }"))  # fmt: skip
row("translations", "reflection to a proxy", "\n".join([DENY, OURS_PUBLIC]), "listed", PUBLIC,
    nat="rdr on em0 inet proto tcp from any to 198.51.100.2 port = 2222 tag PFREFLECT -> 127.0.0.1 port 19000\n")  # fmt: skip
row("translations", "a forward that depends on a tag", "\n".join([DENY, OURS]), ("listed", "depends on a tag"),
    nat="rdr pass on em0 inet proto tcp from any to 198.51.100.2 port = 2222 tagged T -> 192.168.1.10 port 22\n")  # fmt: skip
BINAT = "binat on em0 inet from 192.168.1.10 to any -> 198.51.100.40\n"
TO_BINAT = dict(SSH, destination="198.51.100.40")
OURS_BINAT = OURS.replace("192.168.1.10", "198.51.100.40")
row("translations", "1:1 NAT, seen by the inner side", "\n".join([DENY, OURS]), "decides", nat=BINAT)
row("translations", "1:1 NAT, seen by the public side, and the inner one passes", "\n".join([DENY, OURS_BINAT, INNER + USER]),
    ("shadowed", "after the forward of 198.51.100.40 to 192.168.1.10"), TO_BINAT, nat=BINAT)  # fmt: skip
row("translations", "1:1 NAT, our rule is for the inner side", "\n".join([DENY, OURS, INNER + USER]), "decides", TO_BINAT, nat=BINAT)
row("translations", "1:1 NAT of a network keeps the host",
    "\n".join([DENY, OURS.replace("192.168.1.10", "192.168.1.42"), INNER.replace("168.1.10", "168.1.42") + USER]), "decides", dict(SSH, destination="198.51.100.74"),
    nat="binat on em0 inet from 192.168.1.32/28 to any -> 198.51.100.64/28\n")  # fmt: skip
row("translations", "1:1 NAT of a network, and the host beside it passes",
    "\n".join([DENY, OURS.replace("192.168.1.10", "192.168.1.42"), INNER.replace("168.1.10", "168.1.43") + USER]), "decides", dict(SSH, destination="198.51.100.74"),
    nat="binat on em0 inet from 192.168.1.32/28 to any -> 198.51.100.64/28\n")  # fmt: skip
row("translations", "1:1 NAT of networks of different size", "\n".join([DENY, OURS]), ("listed", "more than one address or port"), dict(SSH, destination="198.51.100.74"),
    nat="binat on em0 inet from 192.168.1.32/28 to any -> 198.51.100.64/27\n")  # fmt: skip
row("translations", "1:1 NAT of another host of the network",
    "\n".join([DENY, OURS.replace("192.168.1.10", "192.168.1.42"), INNER.replace("168.1.10", "168.1.43") + USER]), "shadowed", dict(SSH, destination="198.51.100.75"),
    nat="binat on em0 inet from 192.168.1.32/28 to any -> 198.51.100.64/28\n")  # fmt: skip
row("translations", "1:1 NAT with pass", "\n".join([DENY, OURS]), "shadowed", nat=BINAT.replace("binat", "binat pass"))
row("translations", "a forward goes before 1:1 NAT", "\n".join([DENY, OURS_BINAT, INNER.replace("168.1.10", "168.1.11") + USER]), ("shadowed", "192.168.1.11"), TO_BINAT,
    nat=BINAT + "rdr on em0 inet proto tcp from any to 198.51.100.40 port = ssh -> 192.168.1.11\n")  # fmt: skip
row("translations", "1:1 NAT for some sources only", "\n".join([DENY, OURS_BINAT, INNER + USER]), "decides", TO_BINAT, nat=BINAT.replace("to any", "to 192.0.2.0/24"))
row("translations", "outbound NAT does not concern it", "\n".join([DENY, OURS]), "decides", nat="nat on em0 inet from 192.168.1.0/24 to any -> 198.51.100.2 port 1024:65535\n")
row("translations", "IPv6 forward with pass", "\n".join([DENY6, OURS6]), "shadowed", SSH6,
    nat="rdr pass on em0 inet6 proto tcp from any to 2001:db8:ff::2 port = 2222 -> 2001:db8:1::10 port 22\n")  # fmt: skip
row("translations", "with numbers and counters (-vvsn)", "\n".join([DENY, OURS]), "shadowed", nat=numbered("nat on em0 all -> 192.0.2.1\n" + FORWARD % (" pass", "2222", 22)))
row("translations", "a forward that cannot be read", "\n".join([DENY, OURS]), "listed", nat="rdr pass on em0 inet proto tcp from any to somewhere -> 192.168.1.10\n")
row("translations", "a word that is not a translation", "\n".join([DENY, OURS]), "listed", nat="af-to on em0 inet all -> 192.0.2.1\n")

# What cannot be read
PASS = "pass in quick inet proto tcp from any to 192.168.1.10 port = ssh %s flags S/SA keep state"
for text, reason in [
    ("tagged T0", "depends on a tag"), ("! tagged T0", "depends on a tag"), ("user = 80", "depends on the user"), ("group 10 >< 20", "depends on the user"),
    ("tos 0xb8", "depends on the type of service"), ("prio 4", "depends on the priority"), ("probability 50%", "matches by chance"),
    ("fragment", "matches fragments only"), ("rtable 1", "another routing table"), ("divert-to 127.0.0.1 port 8000", ""), ("received-on em1", "received"),
    ("someword", "does not know: someword"), ("max-pkt-rate 10/1", "does not know"), ("= 5", "does not know"), ("\u0663", "does not know"), ("nat-to 192.0.2.1", "does not know"),
]:  # fmt: skip
    row("doubts", text, ahead(PASS % text + USER), ("listed", reason))
    row("doubts", text + ", after ours", after(PASS % text + USER), "decides")
    row("doubts", text + ", for another host", ahead((PASS % text).replace("168.1.10", "168.1.11") + USER), "decides")
    row("doubts", text + ", in a block rule", ahead(PASS.replace("pass in", "block drop in").replace(" keep state", "") % text), "decides")
row("doubts", "os", ahead('pass in quick inet proto tcp from any os "Linux" to 192.168.1.10 port = ssh flags S/SA keep state' + USER),
    ("listed", "depends on the sender's operating system"))  # fmt: skip
row("doubts", "route-to", ahead("pass in quick on em0 route-to (em2 192.0.2.129) inet all flags S/SA keep state" + USER), ("listed", "route-to"))
row("doubts", "route-to a list", ahead("pass in quick on em0 route-to { (em2 192.0.2.129), (em3 192.0.2.130) } round-robin inet all flags S/SA keep state" + USER), "listed")
row("doubts", "reply-to a list", ahead("pass in quick on em0 reply-to { (em0 192.0.2.129), (em0 192.0.2.130) } round-robin sticky-address inet all flags S/SA" + USER), "shadowed")
row("doubts", "route-to, and a pass after it", ahead("pass in quick on em0 route-to (em2 192.0.2.129) inet all flags S/SA\npass in quick inet all flags S/SA" + USER), "shadowed")
row("doubts", "dup-to", ahead("pass in quick on em0 dup-to (em2 192.0.2.129) inet all flags S/SA keep state" + USER), "listed")
row("doubts", "our rule with reply-to", "\n".join([DENY, OURS.replace("inet", "reply-to (em0 198.51.100.1) inet")]), "decides")
row("doubts", "a block with route-to", ahead("block drop in quick on em0 route-to (em2 192.0.2.129) inet all"), "decides")
row("doubts", "our rule with route-to, and a pass follows",
    after("pass in quick on em0 inet all flags S/SA" + USER, OURS.replace("inet", "route-to (em2 192.0.2.129) inet")), "decides")  # fmt: skip
row("doubts", "a word that may mean quick", ahead("pass in swiftly on em0 inet all flags S/SA keep state" + USER), ("listed", "does not know: swiftly"))
row("doubts", "our own rule depends on a tag", "\n".join([DENY, OURS + " tagged T0"]), ("listed", "this rule depends on a tag"))
row("doubts", "our own rule depends on a tag, and a pass follows", after("pass in quick on em0 inet all flags S/SA" + USER, OURS + " tagged T0"), ("listed", "depends on a tag"))
for text in (
    "tag T1", "queue (a, b)", "queue q", "dnpipe 1", "dnpipe(1, 2)", "set ( prio 5 )", "set prio 5", "allow-opts", "schedule \"s\"",
    "min-ttl 64", "max-mss 1400", "label \"x\"",
):  # fmt: skip
    row("doubts", "does not matter: " + text, ahead(PASS % text + USER), "shadowed")
row("doubts", "log with options", ahead("pass in log (all, to pflog1) quick on em0 inet all flags S/SA keep state" + USER), "shadowed")
row("doubts", "limits of a state", ahead(
    "pass in quick on em0 inet all flags S/SA keep state (max 1000, source-track rule, max-src-conn-rate 15/5, overload <virusprot> flush global, tcp.established 600)" + USER),
    "shadowed")  # fmt: skip
for name, level in [("userrules/*", "decides"), ("openvpn/*", "decides"), ("ipsec/*", "decides"), ("tftp-proxy/*", "decides"), ("miniupnpd", "listed"), ("other", "listed")]:
    row("doubts", "anchor " + name, ahead('anchor "%s" all' % name), level)
    row("doubts", "anchor %s, not empty" % name, ahead('anchor "%s" all' % name), ("listed", "the anchor '%s' has rules that are not known" % name),
        anchors={("anchor", name): "pass in quick all flags S/SA\n"})  # fmt: skip
    row("doubts", "anchor %s, empty" % name, ahead('anchor "%s" all' % name), "decides", anchors={("anchor", name): "No ALTQ support in kernel\nALTQ related functions disabled\n"})
row("doubts", "an anchor after ours", after('anchor "other" all'), "decides")
row("doubts", "an anchor on another interface", ahead('anchor "other" in on em1 all'), "decides")
row("doubts", "an anchor with rules of its own", ahead("anchor all {\n  block drop in quick all ridentifier 2000000001\n}"), ("listed", "the anchor ''"), raw=True)
row("doubts", "a forward's anchor", "\n".join([DENY, OURS]), ("listed", "the anchor 'miniupnpd'"), nat='rdr-anchor "miniupnpd" all\n')
row("doubts", "a forward's anchor for another destination", "\n".join([DENY, OURS]), ("listed", "the anchor 'miniupnpd'"),
    nat='rdr-anchor "miniupnpd" on em0 inet proto tcp from any to 198.51.100.2\n')  # fmt: skip
row("doubts", "a forward's anchor on another interface", "\n".join([DENY, OURS]), "decides", nat='rdr-anchor "miniupnpd" on em1 all\n')
row("doubts", "a forward's anchor that is empty", "\n".join([DENY, OURS]), "decides", nat='rdr-anchor "miniupnpd" all\n', anchors={("rdr-anchor", "miniupnpd"): ""})
row("doubts", "anchors of outbound NAT", "\n".join([DENY, OURS]), "decides", nat='nat-anchor "natrules/*" all\nnat-anchor "miniupnpd" all\nrdr-anchor "tftp-proxy/*" all\n')

# Labels, spellings and broken texts
row("texts", "an old pf prints the tracker with the number", '@0 block drop in inet all\n@7(2000000001) %s\n' % OURS[: OURS.index(" label")], "decides", raw=True)
row("texts", "the word tracker", "\n".join([DENY, OURS.replace("ridentifier", "tracker")]), "decides")
row("texts", "the tracker before the label", "\n".join([DENY, OURS.replace(' label "USER_RULE: Firebreak" ridentifier 2000000001', ' ridentifier 2000000001 label "x"')]), "decides")
row("texts", "a label with words of a rule", ahead('pass in quick on em1 inet all flags S/SA label "on em0 from any to any ridentifier 2000000001"'), "decides")
row("texts", "a label that names another tracker", ahead('block drop in quick on em1 inet all label "ridentifier 2000000001"'), "decides")
row("texts", "our tracker in a label only", DENY + '\nblock drop in quick inet all label "ridentifier 2000000001"', ("listed", "no block rule"))
row("texts", "a label without its end", ahead('pass in quick on em0 inet all flags S/SA label "USER_RULE: x'), "listed")
row("texts", "a label with control characters", ahead('pass in quick inet all flags S/SA label "USER_RULE: a\x1b[2J\u202eb"'), ("shadowed", "'a [2J b'"))
row("texts", "a long label", ahead('pass in quick inet all flags S/SA label "USER_RULE: %s"' % ("x" * 500)), ("shadowed", "x" * 60 + "' "))
row("texts", "a label of the latest version", ahead('pass in quick inet all flags S/SA label "id=172" label "tags=user_rule" label "descr=Allow" ridentifier 172'),
    ("shadowed", "floating rule 'Allow' (tracker 172)"))  # fmt: skip
row("texts", "a label with what Unicode calls a line separator",
    "\n".join([DENY, 'pass in quick inet all flags S/SA label "x\u2028@5 block drop in quick all ridentifier 2000000001"']), ("listed", "no block rule"))  # fmt: skip
row("texts", "words in another order",
    ahead("pass quick in proto tcp inet label \"USER_RULE: odd\" keep state flags S/SA from any to any port = ssh on em0"), ("shadowed", "'odd'"))  # fmt: skip
row("texts", "port names before the protocol", ahead("pass in quick from any to any port = ssh proto tcp inet flags S/SA"), "shadowed")
row("texts", "what pfctl says about ALTQ", "No ALTQ support in kernel\nALTQ related functions disabled\n" + numbered("\n".join([DENY, OURS])), "decides", raw=True)
row("texts", "an error of pfctl", "pfctl: /dev/pf: Operation not permitted\n", ("listed", "no block rule"), raw=True)
row("texts", "scrub rules", "scrub on em0 inet all fragment reassemble\n" + "\n".join([DENY, OURS]), "decides")
row("texts", "a rule that breaks off", ahead("pass in quick on em0 inet proto tcp from"), "listed")
row("texts", "a rule of one word", ahead("pass"), "decides")
row("texts", "an action that is not known", ahead("allow in quick on em0 inet all"), ("listed", "does not know: allow"))
row("texts", "an action that is not known, on another interface", ahead("allow in quick on em1 inet all"), "decides")
row("texts", "only brackets", ahead("((((((((((((("), "listed")
row("texts", "braces without an end", ahead("pass in quick on { em0 inet all"), "listed")
row("texts", "a very long line", ahead("pass in quick on em0 inet from { %s } to any" % ("192.0.2.1, " * 5000)), ("listed", "is too long to be read"))
row("texts", "a number that is too large", ahead("pass in quick inet proto tcp from any to any port = 99999 flags S/SA"), "listed")
row("texts", "a network that is not one", ahead("pass in quick inet from 203.0.113.7/33 to any flags S/SA"), "listed")
row("texts", "digits of other scripts", ahead("pass in quick inet proto tcp from any to any port = \u00b2\u00b2 flags S/SA"), "listed")
row("texts", "surrogates and zeros", ahead("pass in quick inet proto tcp from \udcff to any\0 port = \ud800 flags S/SA"), "listed")
row("texts", "too many lines", "@1 pass all\n" * 200001, ("listed", "more rules than Firebreak reads"), raw=True)
row("texts", "interfaces that cannot be read", "\n".join([DENY, OURS]), "decides", interfaces="\x00\xff::\n\tinet\n\tinet x netmask 0xzz\n\tgroups:\n: :\n\tinet6 ::1/999\n")
DEBUG = """
# a comment
WAN = "{ em0 }"
EDGES = "{ EDGES }"
table <servers> {   192.168.1.10  192.168.1.11 }
servers = "<servers>"
webports = "{   22  443  8000:8010 }"
GWWAN2GW = " route-to ( em2 192.0.2.129 ) "
set skip on lo0
anchor "userrules/*"
block  in  quick  on $WAN reply-to ( em0 198.51.100.1 ) inet proto tcp  from 203.0.113.7 to 192.168.1.10 port 22 ridentifier 2000000001 flags any label "USER_RULE: Firebreak" label "id:2000000001"
block in log inet all ridentifier 1000000103 label "Default deny rule IPv4"
"""
for text, level in [
    ("pass  in  quick  on $EDGES inet proto tcp  from any to 192.168.1.10 port 22 ridentifier 172 keep state label \"USER_RULE: group\"", "shadowed"),
    ("pass  in  quick  on {  em0  em2  } inet proto { tcp udp }  from any to any port $webports ridentifier 172 keep state", "shadowed"),
    ("pass  in  quick  on {  em1  em2  } inet proto { tcp udp }  from any to any port $webports ridentifier 172 keep state", "decides"),
    ("pass  in  quick  on $WAN  $GWWAN2GW inet from any to any ridentifier 172 keep state", "listed"),
    ("pass  in  quick  on $WAN inet from any to $servers ridentifier 172 keep state", "shadowed"),
    ("pass  in  quick  on $WAN inet from any to ! $servers ridentifier 172 keep state", "decides"),
    ("pass  in  quick  on $UNKNOWN inet from any to any ridentifier 172 keep state", "decides"),
    ("pass  in  quick  on $WAN inet proto tcp  from any port >= 1024 to any port 4999 >< 5011 ridentifier 172 flags S/SA keep state", "decides"),
]:  # fmt: skip
    row("texts", "rules.debug: " + text, DEBUG.replace("block  in", text + "\nblock  in"), level, tables={"servers": ["192.168.1.10"]}, raw=True)
row("texts", "macros that name each other", 'A = "$B $B $B $B"\nB = "$A $A $A $A"\npass in quick on em0 $A\n' + numbered("\n".join([DENY, OURS])), "listed", raw=True)
HOSTS = "\n".join("pass in quick inet from 203.0.%d.%d to any flags any" % (place // 250, place % 250) for place in range(0, 2000, 2))
row("texts", "rules that split the flow into many parts", "\n".join([HOSTS.replace("pass", "block drop"), DENY, OURS.replace("203.0.113.7", "203.0.0.0/16")]), "decides",
    dict(SSH, source="203.0.0.0/16"))  # fmt: skip
CROSSING = "\n".join(
    "block drop in quick inet proto tcp from 203.0.%d.0/24 port %d:%d to any port = %d" % (place % 7, place, place + 900, place * 11 + 1)
    for place in range(0, 800)
)  # fmt: skip
EVERYTHING = "block drop in quick inet all\npass in quick inet all flags any"
row("texts", "rules that split the flow into too many parts", "\n".join([CROSSING, EVERYTHING, OURS]), ("listed", "the rules split the flow into too many parts"),
    dict(SSH, source="203.0.0.0/16", port="1:65000"))  # fmt: skip


# A whole rule set of an office: office.txt and office-nat.txt
TABLES = {
    "snort2c": [], "sshguard": ["203.0.113.200"], "virusprot": [], "bogons": [], "monitoring": ["192.0.2.5", "192.0.2.6"], "partners": ["10.20.0.5"],
    "EasyRuleBlockHostsWAN": ["203.0.113.99"], "LAN__NETWORK": ["192.168.1.%d" % each for each in range(256)],
}  # fmt: skip
OFFICE = [
    ("ssh from outside", 11, SSH, "decides"),
    ("ssh, seen as the public port", 11, PUBLIC, "decides"),
    ("all from a host to the intranet, and one forward passes before any rule", 12, dict(SSH, source="203.0.113.8", destination="192.168.1.20", protocol="any", port=""),
     ("shadowed", "the forward of 198.51.100.2 port 8443 to 192.168.1.20 port 8443 passes it before any rule, so no rule can block it; change the forward")),
    ("a VPN user", 13, dict(SSH, source="10.8.0.66", interface="ovpns1", protocol="any", port=""), ("shadowed", "group rule 'OpenVPN users' (tracker 1650000007) passes it first")),
    ("IPv6", 14, dict(SSH6, destination="2001:db8:1::20", port="443"), "decides"),
    ("a host of the LAN, and an open connection", 15, dict(SSH, source="192.168.1.66", destination="10.20.0.5", port="443", interface="em1"),
     ("shadowed", "rule 'Partners by a static route' (tracker 1650000014) passes packets of its open connections")),
    ("telephones", 16, dict(SSH, source="203.0.113.9", destination="192.168.1.30", port="5060:5061", protocol="udp"), "decides"),
    ("telephones, one port more than ours", 16, dict(SSH, source="203.0.113.9", destination="192.168.1.30", port="5060:5062", protocol="udp"),
     ("shadowed", "rule 'NAT telephones' (tracker 1650000012) passes it, but only to port 5062")),
    ("a forward with pass", 18, dict(SSH, destination="192.168.1.20", port="8443"), ("shadowed", "before any rule")),
    ("a forward's public side, which our rule cannot match", 19, dict(PUBLIC, source="203.0.113.17"), ("shadowed", "rule 'NAT ssh from outside' (tracker 1650000010) passes it")),
    ("all of IPv6, without what networks need", 20, dict(SSH6, source="2001:db8:bad::8", destination="2001:db8:1::20", protocol="any", port=""), "listed"),
    ("a guest, with a pass that is not quick", 21, dict(SSH, source="192.168.2.66", destination="192.168.1.20", port="443", interface="em2"), "decides"),
    ("the firewall's own page, from the LAN", 22, dict(SSH, source="192.168.1.67", destination="192.168.1.1", port="443", interface="em1"),
     ("shadowed", "pfSense's rule 'anti-lockout rule' (tracker 10001) passes it first")),
    ("a host that Easy Rule blocks before us", 18, dict(SSH, source="203.0.113.99", destination="192.168.1.20", port="80"), "decides"),
    ("a private source on the WAN", 18, dict(SSH, source="10.1.2.3", destination="192.168.1.20", port="443"), "decides"),
]  # fmt: skip


def read_office():
    texts = []
    for name in ("office.txt", "office-nat.txt"):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), encoding="utf-8") as file:
            texts.append(file.read())
    groups = dict(GROUPS, em3=[], lo0=["lo"])
    for said, last, flow, expected in OFFICE:
        rules = texts[0].replace("ridentifier 20000000%d\n" % last, "ridentifier %d\n" % TRACKER)
        interfaces = "".join("%s: flags=8843\n%s\tgroups: %s\n" % (name, own(name), " ".join(each)) for name, each in groups.items())
        row("office", said, rules, expected, flow, nat=texts[1], interfaces=interfaces, tables=TABLES)


def own(name):
    address = {"em0": "198.51.100.2", "em1": "192.168.1.1", "em2": "192.168.2.1", "ovpns1": "10.8.0.1"}.get(name)
    return "\tinet %s netmask 0xffffff00\n" % address if address else ""


read_office()


def check(said, rules, flow, texts, expected):
    """What is wrong with the answer, or None."""
    level, reason = expected
    began = time.time()
    got = answer(rules, flow, **texts)
    wrong = got.level != level or reason not in got.reason or len(got.reason) > 300
    wrong = wrong or (got.level == "decides") != (got.reason == "") or got.reason.endswith(".") or time.time() - began > 60
    return "%s: expected %s %r, got %s" % (said, level, reason, tuple(got)) if wrong else None


def main():
    found = {}
    for group, said, rules, flow, texts, expected in ROWS:
        failed = check(said, rules, flow, texts, expected)
        rows = found.setdefault(group, {"rows": 0, "wrong": []})
        rows["rows"] += 1
        rows["wrong"] += [failed] if failed else []
    print(json.dumps(found))


if __name__ == "__main__":
    main()
