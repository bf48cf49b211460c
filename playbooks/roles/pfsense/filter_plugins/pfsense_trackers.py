"""A pattern for whole <rule> elements by their trackers, for ansible.builtin.replace."""

from __future__ import annotations

# However the rule is laid out: one line, the GUI's many lines, or in the middle of a line. It never reaches over
# the end or the start of a rule, and takes along what is its line's own: the indent and the line's end. Of a shared
# line it takes the spaces behind it, or those would meet the ones before it: pfSense takes mixed ones for text.
WITHIN = r"(?:(?!</?rule[\s>]).)*"
RULE = (
    r"(?s)(^[ \t]*)?<rule(?:\s[^<>]*)?>" + WITHIN + r"?<tracker(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[\s*)?(?:%s)\s*(?:\]\]>\s*)?"
    r"</tracker\s*>" + WITHIN + r"</rule\s*>(?(1)[ \t]*\r?\n|[ \t]*)"
)


def rules_pattern(trackers):
    """One pattern for any number of trackers, fast for thousands: alternatives share their leading digits."""
    numbers = sorted({str(int(tracker)) for tracker in trackers})
    if not numbers:
        raise ValueError("no tracker: the pattern would have nothing to match")
    return RULE % shared_prefixes(numbers)


def shared_prefixes(numbers):
    if len(numbers) == 1:
        return numbers[0]
    by_digit = {}
    for number in numbers:
        by_digit.setdefault(number[0], []).append(number[1:])
    branches = [digit + shared_prefixes(rest) for digit, rest in by_digit.items()]
    return branches[0] if len(branches) == 1 else "(?:%s)" % "|".join(branches)


class FilterModule:
    def filters(self):
        return {"pfsense_rules_pattern": rules_pattern}
