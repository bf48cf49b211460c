"""Leaves out of pf's rules, before they are parsed, those of Firebreak that no packet of a batch can match. Python 3.6 and up.

There may be thousands of them, each for one source, and what pf decides about another source is the same without them.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.firebreak.core.plugins.module_utils.pf_names import MAX_LINES

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# `@12 block ... from 203.0.113.7 to ... ridentifier 2000000001`, or `@12(2000000001) block ...` of an older pf, and the
# counters below it. A label, which is free text, stands after the source.
OWN_RULE = re.compile(
    r'^@\d+(\(2\d{9}\))? block [^"{\n]*? from (%s(?:\.%s){3}) to [^\n]*(?(1)| (?:ridentifier|tracker) 2\d{9}\b[^\n]*)'
    r"(?:\n +\[[^\n]*)*(?:\n|$)" % (OCTET, OCTET),
    re.MULTILINE,
)
HOST = re.compile(r"%s(?:\.%s){3}$" % (OCTET, OCTET))


def leave_out_other_sources(rules, sources):
    """What `pfctl -vvsr` lists, without Firebreak's rules for hosts that are not among the sources (addresses, networks)."""
    sources = set(sources)
    # A network may contain any host, and a text that is too long is not read to its end.
    if not all(":" in each or HOST.match(each) for each in sources) or rules.count("\n") >= MAX_LINES:
        return rules
    return OWN_RULE.sub(lambda rule: rule.group() if rule.group(2) in sources else "", rules)
