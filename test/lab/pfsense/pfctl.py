"""pfctl: enables and disables pf, shows and loads rules, shows and kills states."""
import os
import time

from addresses import family_of, holds
from lab import die, options, read, remove, write
from pf import compile_rules
from reload import load

COUNTERS = '  [ Evaluations: %-8d  Packets: %-8d  Bytes: %-10d  States: %-6d]'


def loaded_rules(lab):
    """A kernel is never late; the fault plays a reload that is, seen from outside."""
    late = lab.faults.get('proofLate', 0)
    if late and time.time() - os.stat(lab.loaded).st_mtime < late:
        return read(lab.loaded_before).splitlines()
    return read(lab.loaded).splitlines()


def show_rules(lab, verbose):
    for number, rule in enumerate(loaded_rules(lab)):
        print(f'@{number} {rule}' if verbose > 1 else rule)
        if verbose:
            print(COUNTERS % (number + 7, 0, 0, 0))
            print('  [ Inserted: uid 0 pid 0 State Creations: 0     ]')
        if verbose > 1 and lab.version not in ('2.4.5', '2.6.0'):
            print('  [ Last Active Time: N/A ]')


def ends(state):
    """(source, destination) of a line such as `em0 tcp 192.168.1.10:22 <- 203.0.113.7:40000  ESTABLISHED:...`."""
    words = state.split()
    left, arrow, right = words[2:5]
    left, right = (one.partition('[')[0] if '[' in one else one.rpartition(':')[0] for one in (left, right))
    return (right, left) if arrow == '<-' else (left, right)


def kill_states(lab, hosts):
    for host in hosts:
        if family_of(host) is None:
            die(f'pfctl: getaddrinfo: {host}: Name does not resolve\n', 1)
    states = read(lab.states).splitlines()
    keep = [state for state in states if not all(map(holds, hosts, ends(state)))]
    write(lab.states, ''.join(f'{state}\n' for state in keep))
    return len(states) - len(keep)


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


def pfctl(lab, arguments):
    if lab.faults.get('pfctlFails'):
        die('pfctl: /dev/pf: Operation not permitted\n', 1)
    given, _ = options(arguments, 'deghimNnOPqRrvza:b:D:F:f:I:K:k:L:l:o:p:S:s:t:T:x:') or ([], [])
    names = [name for name, _ in given]
    wanted = dict(given)
    if '-e' in wanted or '-d' in wanted:
        switch(lab, '-e' in wanted)
    elif '-k' in wanted:
        hosts = [value for name, value in given if name == '-k']
        count = kill_states(lab, hosts[:2])
        if '-q' not in names:
            die(f'killed {count} states from 1 sources and {len(hosts[:2]) - 1} destinations\n', 0)
    elif '-f' in wanted:
        text = read(wanted['-f'])
        rules, complaints = compile_rules(text, wanted['-f'])
        if complaints:
            die('\n'.join([*complaints, 'pfctl: Syntax error in config file: pf rules not loaded', '']), 1)
        if '-n' not in names:
            load(lab, text)
    elif wanted.get('-s', '')[:1] == 'r':
        show_rules(lab, names.count('-v'))
    elif wanted.get('-s', '')[:1] == 's':
        print(read(lab.states), end='')
    elif wanted.get('-s', '')[:1] == 'i':
        show_info(lab)
    else:
        die('usage: pfctl [-deghMmNnOPqRrvz] [-f file] [-k host | network] [-s modifier] ...\n', 1)
