"""Sets of packets as boxes: one range of integers, both ends included, for each side. Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The sides of a box. With ICMP the last one holds types.
SOURCE, SOURCE_PORT, DESTINATION, PORT = range(4)


def split(box, sides):
    """(parts of the box that lie within all sides, the other parts). A side is a tuple of ranges, or None for any."""
    inside, outside = [box], []
    for side, ranges in enumerate(sides):
        if ranges is None:
            continue
        kept = []
        for part in inside:
            first, last = part[side]
            for low, high in ranges:
                if low <= first and last <= high:
                    kept.append(part)
                    break
                if low <= last and first <= high:
                    kept.append(replaced(part, side, (max(first, low), min(last, high))))
            else:
                outside += [replaced(part, side, each) for each in complement(ranges, last, first)]
        inside = kept
        if not inside:
            return [], [box]
    return inside, outside


def complement(ranges, last, first=0):
    """The ranges from first to last that are in none of the ranges."""
    found = []
    for low, high in sorted(ranges):
        if low > last:
            break
        if low > first:
            found.append((first, low - 1))
        first = max(first, high + 1)
    if first <= last:
        found.append((first, last))
    return tuple(found)


def replaced(box, side, ranges):
    return box[:side] + (ranges,) + box[side + 1 :]


def overlaps(one, other):
    return one[0] <= other[1] and other[0] <= one[1]


def intersect(one, other):
    """The box that two boxes share, or None."""
    if not all(overlaps(*pair) for pair in zip(one, other)):
        return None
    return tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other))


def contains(one, other):
    return all(a <= c and d <= b for (a, b), (c, d) in zip(one, other))
