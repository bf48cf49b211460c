"""pfctl: enables and disables pf, shows and loads rules, asks tables, shows and kills states.

A run asks it ten times, mostly to show something, so what only the rest needs is imported there.
"""
import os
import time

from lab import die, options, read, remove, write

COUNTERS = '  [ Evaluations: %-8d  Packets: %-8d  Bytes: %-10d  States: %-6d]'
CREATOR = 0x2F5E1C07


def loaded_rules(lab):
    """A kernel is never late; the fault plays a reload that is, seen from outside."""
    late = lab.faults.get('proofLate', 0)
    if late and time.time() - os.stat(lab.loaded).st_mtime < late:
        return read(lab.loaded_before).splitlines()
    return read(lab.loaded).splitlines()


def read_tables(lab):
    return {name: entries for name, *entries in (line.split() for line in read(lab.tables).splitlines())}


def with_counts(rule, tables):
    """-vv shows how many entries a table or an interface's address has: `<servers:2>`, `(em0:1)`, `(self:4)`."""
    if '<' not in rule and ' (' not in rule:
        return rule
    parts = rule.split('"')
    for place in range(0, len(parts), 2):
        words = parts[place].split(' ')
        for at in range(1, len(words)):
            word, before = words[at], words[at - 1]
            if before in ('from', 'to', '!', '->') and word[:1] == '<':
                words[at] = f'<{word[1:-1]}:{len(tables.get(word[1:-1], []))}>'
            elif before in ('from', 'to', '!') and word[:1] == '(':
                words[at] = f'({word[1:-1]}:1)'
        parts[place] = ' '.join(words)
    return '"'.join(parts)


def read_packets(lab):
    return {tracker: int(packets) for tracker, packets in (line.split() for line in read(lab.packets).splitlines())}


def show_rules(lab, rules, verbose):
    tables = read_tables(lab) if verbose > 1 else {}
    stopped = read_packets(lab) if verbose else {}
    for number, rule in enumerate(rules):
        print(f'@{number} {with_counts(rule, tables)}' if verbose > 1 else rule)
        if verbose:
            packets = stopped.get(rule.rpartition(' ')[2], 0)
            print(COUNTERS % (number + 7 + packets, packets, 60 * packets, 0))
            print('  [ Inserted: uid 0 pid 0 State Creations: 0     ]')
        if verbose > 1 and lab.version not in ('2.4.5', '2.6.0'):
            print('  [ Last Active Time: N/A ]')


class State:
    """A line such as `em0 tcp 192.168.1.10:22 (198.51.100.2:2222) <- 203.0.113.7:40000  ESTABLISHED:...`.

    pf has two sides of a state, which differ where it translates. Shown first is the one that the inside sees of a
    connection that came in, and the one that the outside sees of one that went out; the other is in parentheses.
    """

    def __init__(self, line):
        self.line = line
        words = line.split()
        at = next(place for place, word in enumerate(words) if word in ('<-', '->'))
        came_in = words[at] == '<-'
        left, right = self.sides(words[2:at], came_in), self.sides(words[at + 1:at + 3], came_in)
        self.wire = (right, left) if came_in else (left, right)

    @staticmethod
    def sides(words, came_in):
        """The address that is on the wire of the state's own interface."""
        shown = words[0]
        if came_in and len(words) > 1 and words[1][0] == '(':
            shown = words[1][1:-1]
        return shown.partition('[')[0] if '[' in shown or shown.count(':') > 1 else shown.partition(':')[0]

    def id(self):
        from zlib import crc32
        return 0x4823E84500000000 + crc32(self.line.encode())


def show_states(lab, verbose):
    for line in read(lab.states).splitlines():
        print(line)
        if verbose:
            print('   age 00:10:15, expires in 23:59:30, 120:118 pkts, 9600:12000 bytes, rule 61')
        if verbose > 1:
            print(f'   id: {State(line).id():016x} creatorid: {CREATOR:08x}')


def kill_states(lab, is_meant):
    """Those for which is_meant(state) is true; gives how many it killed."""
    states = list(map(State, read(lab.states).splitlines()))
    keep = [state for state in states if not is_meant(state)]
    write(lab.states, ''.join(f'{state.line}\n' for state in keep))
    return len(states) - len(keep)


def kill_by_id(lab, text):
    """`-k id -k ID[/CREATOR]`, in hexadecimal; without a creator it is this firewall."""
    number, _, creator = text.partition('/')
    try:
        wanted, creator = int(number, 16), int(creator, 16) if creator else CREATOR
    except ValueError:
        die('pfctl: wrong id format specified\n', 1)
    return kill_states(lab, lambda state: creator == CREATOR and state.id() == wanted)


def kill_by_hosts(lab, hosts):
    """pf compares the side on the wire alone: the kernel's own words are `sk = s->key[PF_SK_WIRE]`."""
    from addresses import family_of, holds
    for host in hosts:
        if family_of(host) is None:
            die(f'pfctl: getaddrinfo: {host}: Name does not resolve\n', 1)
    return kill_states(lab, lambda state: all(map(holds, hosts, state.wire)))


def kill(lab, values, is_quiet):
    if values[0] == 'id':
        if len(values) < 2:
            die('pfctl: no id specified\n', 1)
        count, rest = kill_by_id(lab, values[1]), ''
    else:
        count = kill_by_hosts(lab, values[:2])
        rest = f' from 1 sources and {len(values[:2]) - 1} destinations'
    if not is_quiet:
        die(f'killed {count} states{rest}\n', 0)


def ask_table(lab, name, command, addresses, verbose):
    from addresses import family_of
    entries = read_tables(lab).get(name)
    if entries is None:
        die('pfctl: Table does not exist.\n', 255)
    if command == 'show':
        for entry in sorted(entries):
            print(f'   {entry}')
    elif command == 'test':
        if any(family_of(address) is None or '/' in address for address in addresses):
            die('pfctl: Invalid argument.\n', 255)
        inside = [address for address in addresses if is_in(entries, address)]
        count = len(inside)
        for address in inside if verbose else ():
            print(f'   {address}')
        die(f'{count}/{len(addresses)} addresses match.\n', 0 if count == len(addresses) else 2)
    else:
        die(f'pfctl: unknown command {command}\n', 1)


def is_in(entries, address):
    """The narrowest entry that holds the address decides; `!` excludes."""
    from addresses import holds, to_number

    def width(entry):
        host, _, bits = entry.lstrip('!').partition('/')
        return int(bits) if bits else to_number(host)[1] * 8
    found = [entry for entry in entries if holds(entry.lstrip('!'), address)]
    return bool(found) and not max(found, key=width).startswith('!')


def show_interfaces(lab, verbose):
    found = {'all', 'lo'}
    for line in read(lab.interfaces).splitlines():
        found.update(line.split()[1:] if line.startswith('\tgroups:') else [line.partition(':')[0]] if line[0] != '\t' else [])
    for rule in loaded_rules(lab):  # pf knows an interface that a rule names, even if there is none
        words = rule.split(' on ', 1)
        found.update(words[1].split()[:1] if len(words) > 1 else [])
    for name in sorted(found):
        print(f'{name}\n\tCleared:     Mon Jun 10 08:00:00 2024\n\tReferences:  0' if verbose else name)


def switch(lab, on):
    """A disabled pf keeps its rules and states, and lists them as before."""
    if on != os.path.exists(lab.disabled):
        die('pfctl: pf already enabled\n' if on else 'pfctl: pf not enabled\n', 1)
    if on:
        remove(lab.disabled)
    else:
        write(lab.disabled, '')
    die('pf enabled\n' if on else 'pf disabled\n', 0)


def show_info(lab):
    is_on = not os.path.exists(lab.disabled)
    since = '12 days 03:14:15' if is_on else '0 days 00:10:00'
    status = f"Status: {'Enabled' if is_on else 'Disabled'} for {since}"
    print(f'{status:<44}    Debug: Urgent')


def load_file(lab, path, is_dry):
    from pf import compile_rules
    from reload import load

    text = read(path)
    complaints = compile_rules(text, path).complaints
    if complaints:
        die('\n'.join([*complaints, 'pfctl: Syntax error in config file: pf rules not loaded', '']), 1)
    if not is_dry:
        load(lab, text)


def show(lab, what, verbose):
    """By the first letter of what is asked for, as pfctl does it, but for info and Interfaces."""
    if what[:1] == 'r':
        show_rules(lab, loaded_rules(lab), verbose)
    elif what[:1] == 'n':
        if lab.faults.get('translationsFail'):
            die('pfctl: DIOCGETRULES: Device busy\n', 1)
        show_rules(lab, read(lab.translations).splitlines(), verbose)
    elif what[:1] == 's':
        if lab.faults.get('statesFail'):
            die('pfctl: DIOCGETSTATES: Device busy\n', 1)
        show_states(lab, verbose)
    elif what[:1] == 'i':
        show_info(lab)
    elif what[:1] == 'I':
        show_interfaces(lab, verbose)
    elif what[:1] == 'T':
        print('\n'.join(sorted(read_tables(lab))))
    else:
        usage()


def usage():
    die('usage: pfctl [-deghMmNnOPqRrvz] [-f file] [-k host | network] [-s modifier] ...\n', 1)


def pfctl(lab, arguments):
    if lab.faults.get('pfctlFails'):
        die('pfctl: /dev/pf: Operation not permitted\n', 1)
    given, rest = options(arguments, 'deghimNnOPqRrvza:b:D:F:f:I:K:k:L:l:o:p:S:s:t:T:x:') or ([], [])
    names = [name for name, _ in given]
    wanted = dict(given)
    if '-e' in wanted or '-d' in wanted:
        switch(lab, '-e' in wanted)
    elif '-k' in wanted:
        kill(lab, [value for name, value in given if name == '-k'], '-q' in names)
    elif '-t' in wanted and '-T' in wanted:
        ask_table(lab, wanted['-t'], wanted['-T'], rest, '-v' in names)
    elif '-f' in wanted:
        load_file(lab, wanted['-f'], '-n' in names)
    elif '-a' in wanted and wanted.get('-s', '')[:1] in ('r', 'n'):
        pass  # pfSense fills its anchors at run time only, and nothing does so here
    elif '-s' in wanted:
        show(lab, wanted['-s'], names.count('-v'))
    else:
        usage()
