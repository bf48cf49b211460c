"""Reads the names and numbers that pf's rules consist of. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import socket
from functools import lru_cache

# A firewall that prints longer texts is not believed.
MAX_LINES = 200000
MAX_LINE = 8192

LAST = {4: 2**32 - 1, 6: 2**128 - 1}
EVERY_PORT = (0, 65535)
TCP, UDP = 6, 17
WITH_PORTS = (TCP, UDP, 132)
ICMP = {4: 1, 6: 58}

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "ipv4": 4, "tcp": 6, "egp": 8, "udp": 17, "ipv6": 41, "rsvp": 46, "gre": 47, "esp": 50,
    "ah": 51, "ipv6-icmp": 58, "icmp6": 58, "eigrp": 88, "ospf": 89, "ospfigp": 89, "ipip": 94, "etherip": 97, "pim": 103,
    "ipcomp": 108, "carp": 112, "vrrp": 112, "l2tp": 115, "sctp": 132, "pfsync": 240,
}  # fmt: skip

# Names that FreeBSD's /etc/services has for ports that firewalls often name; getservbyname is asked for any other.
SERVICES = {
    "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69,
    "http": 80, "pop3": 110, "sunrpc": 111, "ntp": 123, "imap": 143, "snmp": 161, "snmptrap": 162, "bgp": 179, "ldap": 389,
    "https": 443, "microsoft-ds": 445, "isakmp": 500, "syslog": 514, "submission": 587, "dhcpv6-client": 546,
    "dhcpv6-server": 547, "ldaps": 636, "imaps": 993, "pop3s": 995, "openvpn": 1194, "tproxy": 8081,
}  # fmt: skip

ICMP_TYPES = {
    "echorep": 0, "unreach": 3, "squench": 4, "redir": 5, "althost": 6, "echoreq": 8, "routeradv": 9, "routersol": 10,
    "timex": 11, "paramprob": 12, "timereq": 13, "timerep": 14, "inforeq": 15, "inforep": 16, "maskreq": 17, "maskrep": 18,
    "trace": 30, "dataconv": 31, "mobredir": 32, "ipv6-where": 33, "ipv6-here": 34, "mobregreq": 35, "mobregrep": 36,
    "skip": 39, "photuris": 40,
}  # fmt: skip
ICMP6_TYPES = {
    "unreach": 1, "toobig": 2, "timex": 3, "paramprob": 4, "echoreq": 128, "echorep": 129, "groupqry": 130, "listqry": 130,
    "grouprep": 131, "listenrep": 131, "groupterm": 132, "listendone": 132, "routersol": 133, "routeradv": 134,
    "neighbrsol": 135, "neighbradv": 136, "redir": 137, "routrrenum": 138, "fqdnreq": 139, "niqry": 139, "wrureq": 139,
    "fqdnrep": 140, "nirep": 140, "wrurep": 140, "mtraceresp": 200, "mtrace": 201,
}  # fmt: skip

FLAG_BITS = {letter: 1 << place for place, letter in enumerate("FSRPAUEW")}
FLAGS = re.compile(r"^([FSRPAUEW]*)/([FSRPAUEW]*)$")


class Unreadable(Exception):
    """Why a part of a rule cannot be read, as the end of a sentence that begins with the rule."""


def unknown(word):
    return Unreadable("has a part that Firebreak does not know: %s" % word[:40])


def read_address(text):
    """(family, number) of an address, or None."""
    family, kind = (6, socket.AF_INET6) if ":" in text else (4, socket.AF_INET)
    try:
        return family, int.from_bytes(socket.inet_pton(kind, text), "big")
    except (OSError, ValueError):
        return None


def network(family, number, width):
    """The range of a network; a width that the family does not have is that of a host."""
    size = 32 if family == 4 else 128
    hosts = size - width if 0 <= width <= size else 0
    first = number >> hosts << hosts
    return first, first + (1 << hosts) - 1


@lru_cache(4096)
def read_network(text):
    """(family, (first, last)) of an address or network; Unreadable if it is neither."""
    address, slash, width = text.partition("/")
    found = read_address(address.split("%")[0])
    if found is None or (slash and not (width.isdecimal() and int(width) <= (32 if found[0] == 4 else 128))):
        raise unknown(text)
    return found[0], network(found[0], found[1], int(width) if slash else 128 if found[0] == 6 else 32)


def read_number(text, highest=65535):
    if not (text.isdecimal() and len(text) <= 10 and int(text) <= highest):
        raise unknown(text)
    return int(text)


@lru_cache(4096)
def look_up(find, *names):
    """What the firewall's /etc/services or /etc/protocols says, or None."""
    try:
        return find(*names)
    except (OSError, UnicodeError, ValueError):
        return None


def read_port(text, protocols):
    """The number of a port. A name is one of the firewall's /etc/services, since pfctl printed it from there."""
    if text.isdecimal():
        return read_number(text)
    port = SERVICES.get(text) or look_up(socket.getservbyname, text, "tcp" if protocols == (TCP,) else "udp")
    if port is None:
        raise Unreadable("names a port that the firewall does not know: %s" % text[:40])
    return port


def read_protocol(text):
    if text.isdecimal():
        return read_number(text, 255)
    protocol = PROTOCOLS.get(text) or look_up(socket.getprotobyname, text)
    if protocol is None:
        raise Unreadable("names a protocol that the firewall does not know: %s" % text[:40])
    return protocol


@lru_cache(256)
def read_flags(text):
    """(set, out of) as bits, or None for any."""
    if text == "any":
        return None
    found = FLAGS.match(text)
    if found is None:
        raise unknown("flags %s" % text)
    wanted, among = (sum(FLAG_BITS[letter] for letter in set(part)) for part in found.groups())
    return wanted, among or 255
