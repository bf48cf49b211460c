"""Kills the connections that a new block would leave open, because pf checks its states before its rules.

A state has two sides, which differ where pf translates: the incoming state of a forwarded connection has the public address
on the wire and the inner one on the stack. `pfctl -k SOURCE -k DESTINATION` compares the side on the wire alone, so it does
not find such a state by its inner address. Therefore pf's states are listed with both sides, and a translated one is killed
by its id. From pfSense 2.8 on a state is bound to its interface, and a forwarded connection has one at each: both are found.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import socket
import time

from ansible_collections.firebreak.core.plugins.module_utils.programs import run_bounded, run_streamed

MAX_SECONDS = 20
# An attacker with more states than these is cut off by pairs instead.
MAX_STATES = 10000

# The second line below a state in `pfctl -ss -vv`: "   id: 4823e84500000018 creatorid: 2f5e1c07".
ID = re.compile(r"^\s+id: ([0-9a-f]{1,16}) creatorid: ([0-9a-f]{1,8})")
KILLED = re.compile(r"killed ([0-9]{1,9}) states")


def kill_states(pfctl, kind, pairs):
    """(how many states were killed, how many are still open) of these pairs of source and destination, or of their sources.

    A failure here does not undo a proven block. The second number is None if pf does not list its states.
    """
    if kind == "none" or not pairs:
        return 0, 0
    targets = Targets(pairs, by_source=kind == "source")
    deadline = time.time() + MAX_SECONDS
    killed = 0
    found = list_states(pfctl, targets, deadline)
    for unused in range(2):  # looks again, because pf may have renewed a state between the listing and the kill
        if found == []:
            break
        kills = targets.kill_all() if found is None else list(dict.fromkeys(state.kill for state in found))
        killed += sum(kill(pfctl, words, deadline) for words in kills)
        found = list_states(pfctl, targets, deadline)
    return killed, None if found is None else len(found)


def kill(pfctl, words, deadline):
    """How many states one call of pfctl killed."""
    if time.time() > deadline:
        return 0
    argv = [pfctl]
    for word in words:
        argv += ["-k", word]
    said = KILLED.search(run_bounded(argv, 5).output)
    return int(said.group(1)) if said else 0


class State:
    """A state of a target, and the words with which it is killed."""

    def __init__(self, kill, is_translated):
        self.kill = kill
        self.is_translated = is_translated


def list_states(pfctl, targets, deadline):
    """The states of these targets, or None if pf does not list all of its states in time or has too many of them."""
    found = []

    def take(line):
        if line[:1] not in (" ", "\t", "\n"):
            state = targets.find(line)
            # Up to the next state, the lines below it are those of this one.
            pending[0] = state if state is not None and state.is_translated else None
            if state is not None:
                found.append(state)
        elif pending[0] is not None:
            number = ID.match(line)
            if number:
                pending[0].kill = ("id", "%s/%s" % number.groups())
        return len(found) <= MAX_STATES

    pending = [None]
    seconds = max(1, min(10, deadline - time.time()))
    try:
        status = run_streamed([pfctl, "-ss", "-vv"], seconds, take)
    except OSError:
        return None
    return found if status == 0 else None


class Targets:
    """The pairs (or sources) whose states are to be killed, found by either side of a state."""

    def __init__(self, pairs, by_source):
        self.by_source = by_source
        self.hosts, self.networks = {}, []
        for pair in pairs:
            words = tuple(pair.split()[:1] if by_source else pair.split())
            ends = [read_network(word) for word in words]
            if None in ends:
                continue
            if any(bits for unused, bits in ends):
                self.networks.append((ends, words))
            else:
                self.hosts[tuple(address for address, unused in ends)] = words

    def kill_all(self):
        """Kills by pairs, for a pf whose states cannot be listed."""
        return list(self.hosts.values()) + list(dict.fromkeys(words for unused, words in self.networks))

    def find(self, line):
        """The state of this line if it is one of a target's, else None."""
        sides = read_sides(line)
        if sides is None:
            return None
        (source, destination), stack = sides
        found = self.find_target((source,) if self.by_source else (source, destination))
        if found is not None:
            return State(found, is_translated=False)
        for one in dict.fromkeys((source, stack[0])):
            for other in dict.fromkeys((destination, stack[1])):
                if self.find_target((one,) if self.by_source else (one, other)) is not None:
                    # If pf shows no id, the pair on the wire is the only handle.
                    return State((to_text(source), to_text(destination)), is_translated=True)
        return None

    def find_target(self, ends):
        found = self.hosts.get(ends)
        if found is not None:
            return found
        for networks, words in self.networks:
            if all(is_inside(address, network) for address, network in zip(ends, networks)):
                return words
        return None


def read_sides(line):
    """((source, destination) on the wire, the same on the stack), as packed addresses, of a line such as

    all tcp 192.168.1.10:22 (198.51.100.2:2222) <- 203.0.113.7:4711       ESTABLISHED:ESTABLISHED

    pf shows the stack's side first for a connection that came in, and the wire's for one that went out.
    """
    words = line.split(None, 9)
    arrow = next((place for place in (3, 4) if words[place : place + 1] in (["<-"], ["->"])), None)
    if arrow is None:
        return None
    came_in = words[arrow] == "<-"
    left = read_ends(words[2:arrow])
    right = read_ends(words[arrow + 1 : arrow + 3])
    if left is None or right is None:
        return None
    shown, other = ((right[0], left[0]), (right[1], left[1])) if came_in else ((left[0], right[0]), (left[1], right[1]))
    return (other, shown) if came_in else (shown, other)


def read_ends(words):
    """[the address that is shown, the one in parentheses or the same] of `ADDRESS:PORT (ADDRESS:PORT)`."""
    shown = read_address(words[0])
    if shown is None:
        return None
    other = read_address(words[1][1:-1]) if len(words) > 1 and words[1].startswith("(") else shown
    return None if other is None else [shown, other]


def read_address(text):
    """The packed address of `192.168.1.10:22`, `2001:db8::7[22]` or one without a port, else None."""
    host = text.split("[")[0]
    if host == text and text.count(":") == 1:
        host = text.split(":")[0]
    return pack(host.split("%")[0])


def read_network(text):
    """(packed address, prefix length or None for a host), else None."""
    host, slash, bits = text.partition("/")
    address = pack(host)
    if address is None or (slash and not bits.isdigit()):
        return None
    return address, int(bits) if slash else None


def is_inside(address, network):
    start, bits = network
    if len(address) != len(start):
        return False
    shift = 0 if bits is None else len(start) * 8 - bits
    return int.from_bytes(address, "big") >> shift == int.from_bytes(start, "big") >> shift


def pack(host):
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return None


def to_text(address):
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
