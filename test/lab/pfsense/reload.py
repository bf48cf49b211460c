"""rc.filter_configure and rc.filter_configure_sync. Both exit 0 when pf refuses the rules: only pfctl knows."""
import fcntl
import os
import sys
import time

from addresses import is_address
from config import Fatal
from lab import Locked, append, die, now, read, remove, write
from pf import compile_rules
from rules import Context, generate
from store import parse_config


def read_or_die(lab):
    try:
        return parse_config(lab)
    except Fatal as error:
        die(f'PHP Fatal error:  Uncaught Exception: {error}\n', 255)


def routers(lab):
    """The routers that dhcp left in /tmp/<nic>_router."""
    folder = f'{lab.root}/tmp'
    return {name[:-7]: read(f'{folder}/{name}').strip() for name in os.listdir(folder) if name.endswith('_router')}


def load(lab, text):
    """What pf makes of it: its complaints, or none and the set is in force."""
    refuse = lab.faults.get('refuse')
    if refuse == 'next':
        lab.clear_fault('refuse')
    made = compile_rules(text)
    if refuse and not made.complaints:
        made.complaints = ['pfctl: DIOCXCOMMIT: Device busy']
    if not made.complaints:
        write(lab.loaded_before, read(lab.loaded))
        write(lab.loaded, ''.join(f'{rule}\n' for rule in made.rules))
        write(lab.translations, ''.join(f'{rule}\n' for rule in made.translations))
        remove(lab.packets)  # pf counts anew
        write(lab.tables, ''.join(f"{name} {' '.join(read_entries(lab, entries))}\n" for name, entries in made.tables.items()))
    return made.complaints


def read_entries(lab, entries):
    """A table's entries, or those of its file; one without a file is empty."""
    if isinstance(entries, list):
        return entries
    words = (line.partition('#')[0].strip() for line in read(lab.root + entries).splitlines())
    return [word for word in words if word]


def write_interfaces(lab, tree):
    """What ifconfig shows: for each card its addresses and the groups of the kernel's that it is in."""
    context = Context(tree, lab.version, routers(lab))
    lines = []
    for key, one in context.interfaces.items():
        raw = one['raw']
        lines.append(f"{one['if']}: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500")
        if is_address(raw.get('ipaddr') or ''):
            lines.append(f"\tinet {raw['ipaddr']} netmask {mask_of(raw.get('subnet'))}")
        elif raw.get('ipaddr') == 'dhcp' and one['router']:
            lines.append(f"\tinet {one['router'].rpartition('.')[0]}.2 netmask {mask_of('24')}")
        if is_address(raw.get('ipaddrv6') or ''):
            lines.append(f"\tinet6 {raw['ipaddrv6']} prefixlen {raw.get('subnetv6') or 128}")
        groups = [name for name in context.groups if key in context.members[name]]
        groups += ['openvpn'] if one['if'].startswith('ovpn') else []
        lines += [f"\tgroups: {' '.join(groups)}"] if groups else []
    lines += ['lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384', '\tinet 127.0.0.1 netmask 0xff000000',
              '\tgroups: lo']
    write(lab.interfaces, ''.join(f'{line}\n' for line in lines))


def mask_of(bits):
    return f'0x{(0xFFFFFFFF << (32 - int(bits or 32))) & 0xFFFFFFFF:08x}'


def tell_failure(lab, text, complaints):
    lines = text.split('\n')
    place = complaints[0].split(':')
    line = int(place[1]) if len(place) > 2 and place[1].isdigit() else 0
    if len(complaints) > 0 and line:
        complaints = [*complaints, 'pfctl: Syntax error in config file: pf rules not loaded']
    reads = f' - The line in question reads [{line}]: {lines[line - 1]}' if line else ''
    message = f"There were error(s) loading the rules: {chr(10).join(complaints)}{reads}"
    append(lab.status, f'{message}\n')
    append(lab.notices, f'{now()} filter_load {message}\n')


def is_filter_disabled(tree):
    """System > Advanced > Firewall & NAT > Disable Firewall, by presence."""
    system = tree.get('system')
    return isinstance(system, dict) and 'disablefilter' in system


def filter_configure_sync(lab, _arguments):
    with Locked(f'{lab.root}/var/lab/filter.lock'):
        write(lab.status, 'Initializing\n')
        if lab.faults.get('reloadHang'):
            time.sleep(3600)
        time.sleep(lab.faults.get('reloadStall', 0))
        tree = read_or_die(lab)
        append(lab.status, 'Creating aliases\nCreating filter rules\nSetting up pass/block rules\n')
        write_interfaces(lab, tree)
        text, notices = generate(tree, lab.version, routers(lab))
        for notice in notices:
            append(lab.notices, f'{now()} Filter_Reload {notice}\n')
        append(lab.status, 'Loading filter rules\n')
        if is_filter_disabled(tree):
            write(lab.disabled, '')
            append(lab.status, 'Filter is disabled.  Not loading rules.\n')
            append(lab.reloads, 'disabled\n')
            return
        remove(lab.disabled)  # a pf that was disabled with `pfctl -d` is enabled again
        write(lab.rules, text)  # before it is loaded, so no proof
        complaints = load(lab, text)
        if complaints:
            tell_failure(lab, text, complaints)
        else:
            write(lab.rules_old, text)
            append(lab.status, 'Done\n')
        append(lab.reloads, 'refused\n' if complaints else 'loaded\n')


def filter_configure(lab, _arguments):
    """Asks the daemon to reload, and returns at once: it reads the (stale) configuration and drops its cache."""
    read_or_die(lab)
    if lab.version != 'master':
        remove(lab.cache)
    write(lab.pending, '')
    if os.fork() == 0:
        play_daemon(lab)


def play_daemon(lab):
    """check_reload_status: waits, then carries out all that was asked for until then in one reload."""
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    try:
        # The fork may hold what its parents had open, a lock among it, and would keep it for as long as it runs.
        os.closerange(3, 256)
        with Locked(f'{lab.root}/var/lab/daemon.lock', fcntl.LOCK_EX):
            if os.path.exists(lab.pending):
                time.sleep(lab.faults.get('reloadDelay', 0.3))
                remove(lab.pending)
                filter_configure_sync(lab, [])
    finally:
        os._exit(0)


def rc(lab, arguments):
    {'rc.filter_configure': filter_configure, 'rc.filter_configure_sync': filter_configure_sync}[
        os.path.basename(sys.argv[0])](lab, arguments)
