"""Takes the rules that Firebreak wrote out of config.xml, so that the rest is parsed in the same time whether it has one
such rule or ten thousand. Runs on the firewall, with Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

# A rule just as templates/rules.xml.j2 writes it. Its values are plain text, so that it is well-formed XML. A rule in
# another form, or that was changed, is not taken out: it is parsed with the rest.
WORD = br"[A-Za-z0-9_./:-]*"
OWN_RULE = re.compile(
    br"""\t\t<rule>
\t\t\t<id></id>
\t\t\t<tracker>(2[0-9]{9})</tracker>
\t\t\t<type>WORD</type>
\t\t\t<interface>WORD</interface>
\t\t\t<ipprotocol>WORD</ipprotocol>
(?:\t\t\t<tcpflags_any></tcpflags_any>
)?(?:\t\t\t<direction>in</direction>
\t\t\t<quick>yes</quick>
\t\t\t<floating>yes</floating>
)?(?:\t\t\t<protocol>WORD</protocol>
)?\t\t\t<source>
\t\t\t\t<address>WORD</address>
\t\t\t</source>
\t\t\t<destination>
\t\t\t\t<address>WORD</address>
(?:\t\t\t\t<port>WORD</port>
)?\t\t\t</destination>
(?:\t\t\t<descr><!\[CDATA\[[A-Za-z0-9 .:_-]*\]\]></descr>
)?\t\t\t<created>
\t\t\t\t<time>[0-9]*</time>
\t\t\t\t<username><!\[CDATA\[Firebreak\]\]></username>
\t\t\t</created>
\t\t</rule>
""".replace(b"WORD", WORD)
)

# An element in place of each row of rules. Where the parser meets it shows whether the rules were rules, and not a text.
MARK = "firebreak-rules"
PLACEHOLDER = ("\t\t<%s/>\n" % MARK).encode()


def take_out(data):
    """(the file with placeholders, their number, the rules that were taken out by tracker, as text)"""
    kept, rules, marks, end = [], {}, 0, 0
    for match in OWN_RULE.finditer(data):
        start = match.start()
        if start > end or start == 0:
            if data[start - 1 : start] != b"\n":
                continue  # it shares its line
            kept += [data[end:start], PLACEHOLDER]
            marks += 1
        rules.setdefault(int(match.group(1)), []).append(match.group())
        end = match.end()
    return b"".join(kept + [data[end:]]), marks, rules


def as_file(rules):
    """A file with these rules and nothing else."""
    return b"<pfsense><filter>" + b"".join(rules) + b"</filter></pfsense>"
