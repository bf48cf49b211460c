"""Decides flows on the sample rules of pfSense: samples.py FOLDER. Prints {"rows": number, "wrong": [flow, ...]} as JSON.

The folder holds what three versions of pfSense make of one configuration of 40 varied rules, and how pfctl prints the rules of one
of them. Each text gets the default deny before it and our rule behind it, so that every rule of the sample comes first.
"""

import json
import os
import sys

from table import TRACKER, answer

FILES = {
    "pfctl": "pfctl-nv-2.7.2.txt", "2.4.5": "rules-debug-2.4.5.txt", "2.7.2": "rules-debug-2.7.2.txt", "2.9-dev": "rules-debug-2.9-dev.txt",
}  # fmt: skip
TABLES = {
    "admins": ["192.0.2.%d" % each for each in range(16)] + ["2001:db8:ad::7"], "servers": ["192.168.1.10", "192.168.1.11"],
    "LAN__NETWORK": ["192.168.1.%d" % each for each in range(256)], "OPT1__NETWORK": ["192.0.2.%d" % each for each in range(128, 256)],
    "negate_networks": [],
}  # fmt: skip
IFCONFIG = "".join(
    "%s: flags=8843\n\tinet %s netmask 0xffffff00\n\tgroups: %s\n" % each
    for each in (("em0", "198.51.100.2", "EDGES"), ("em1", "192.168.1.1", ""), ("em2", "192.0.2.130", "EDGES"), ("ovpns1", "10.8.0.1", "openvpn"))
)
OUTSIDE, SERVER = "203.0.113.8", "192.168.1.10"
FLOWS = {
    "01 a floating rule": ("192.0.2.3", SERVER, "443", "tcp", "em0", "shadowed"),
    "01 another source": ("192.0.2.17", SERVER, "443", "tcp", "em0", "decides"),
    "02 a floating block ahead of 16": ("203.0.113.7", SERVER, "8444", "tcp", "em0", "decides"),
    "03 a floating pass that is not quick": ("10.0.0.1", "192.168.1.250", "443", "tcp", "em1", "decides"),
    "06 the firewall itself": (OUTSIDE, "198.51.100.2", "", "esp", "em0", "decides"),
    "07 a group": (OUTSIDE, SERVER, "22", "tcp", "em2", "shadowed"),
    "08 OpenVPN": ("10.8.0.2", "192.168.1.99", "", "any", "ovpns1", "shadowed"),
    "09 the first port of a range": (OUTSIDE, SERVER, "5000", "tcp", "em0", "shadowed"),
    "09 the last port of a range": (OUTSIDE, SERVER, "5010", "tcp", "em0", "shadowed"),
    "09 beside the range": (OUTSIDE, SERVER, "5011", "tcp", "em0", "decides"),
    "09 a flow of ports that meets the range": (OUTSIDE, SERVER, "4990:5000", "tcp", "em0", "shadowed"),
    "11 a negated source": (OUTSIDE, "192.168.1.12", "25", "tcp", "em0", "decides"),
    "12 a negated alias": ("192.168.1.5", "10.0.0.1", "80", "tcp", "em1", "shadowed"),
    "13 ICMP types": (OUTSIDE, "192.168.1.99", "", "icmp", "em0", "shadowed"),
    "14 ICMPv6": ("2001:db8:bad::1", "2001:db8:1::10", "", "icmp", "em0", "shadowed"),
    "15 flags SYN of SYN, ACK, FIN": (OUTSIDE, SERVER, "8443", "tcp", "em0", "shadowed"),
    "16 any flags": (OUTSIDE, SERVER, "8444", "tcp", "em0", "shadowed"),
    "17 no state": (OUTSIDE, SERVER, "514", "udp", "em0", "shadowed"),
    "18 synproxy": (OUTSIDE, SERVER, "8445", "tcp", "em0", "shadowed"),
    "21 limits": (OUTSIDE, SERVER, "8446", "tcp", "em0", "shadowed"),
    "23 an operating system": (OUTSIDE, SERVER, "8448", "tcp", "em0", "listed"),
    "24 a tag": (OUTSIDE, SERVER, "8449", "tcp", "em0", "listed"),
    "25 a priority": (OUTSIDE, SERVER, "8450", "tcp", "em0", "listed"),
    "26 IPv6": ("2001:db8:ad::7", "2001:db8:1::10", "53", "tcp/udp", "em0", "shadowed"),
    "27 an alias": (OUTSIDE, "192.168.1.11", "80", "tcp", "em0", "shadowed"),
    "28 the firewall's own address": ("192.168.1.5", "192.168.1.1", "443", "tcp", "em1", "decides"),
    "29 a reject": ("192.0.2.200", "192.168.1.77", "", "any", "em2", "decides"),
    "30 a name server": ("192.0.2.200", "192.0.2.130", "53", "udp", "em2", "decides"),
    "32 source ports": (OUTSIDE, SERVER, "8451", "tcp", "em0", "shadowed"),
    "33 a type of service": (OUTSIDE, SERVER, "8452", "tcp", "em0", "listed"),
    "34 not tagged": (OUTSIDE, SERVER, "8453", "tcp", "em0", "listed"),
    "36 a reject of tcp/udp": (OUTSIDE, "192.168.1.13", "111", "tcp/udp", "em0", "decides"),
    "37 an odd label": (OUTSIDE, SERVER, "8454", "tcp", "em0", "shadowed"),
    "39 IGMP": ("192.168.1.5", "224.0.0.1", "", "igmp", "em1", "shadowed"),
    "no rule": (OUTSIDE, SERVER, "9999", "tcp", "em0", "decides"),
}


def decide(text, source, destination, port, protocol, interface):
    family = "inet6" if ":" in source else "inet"
    flow = {
        "source": source, "destination": destination, "port": port, "protocol": protocol, "ipprotocol": family, "interface": interface,
    }  # fmt: skip
    ours = "block in quick %s from %s to %s ridentifier %d" % (family, source, destination, TRACKER)
    rules = "block in %s all\n%s\n%s\n" % (family, text, ours)
    return answer(rules, flow, interfaces=IFCONFIG, tables=TABLES, raw=True)


def main():
    rows, wrong = 0, []
    for name, file in FILES.items():
        with open(os.path.join(sys.argv[1], file), encoding="utf-8") as opened:
            text = opened.read()
        for said, flow in FLOWS.items():
            found = decide(text, *flow[:-1])
            rows += 1
            if found.level != flow[-1]:
                wrong.append("%s, %s: expected %s, got %s" % (name, said, flow[-1], tuple(found)))
    print(json.dumps({"rows": rows, "wrong": wrong}))


main()
