"""Where things lie below the lab's root (pfSense's own paths), which faults are on, and flock(2)."""
import fcntl
import os
import sys
import time


class Lab:
    def __init__(self, root):
        self.root = root
        self.config = f'{root}/cf/conf/config.xml'
        self.history = f'{root}/cf/conf/backup'
        self.rules_old = f'{root}/cf/conf/rules.debug.old'
        self.cache = f'{root}/tmp/config.cache'
        self.lock = f'{root}/tmp/config.lock'
        self.rules = f'{root}/tmp/rules.debug'
        self.notices = f'{root}/tmp/notices/notices.serial'
        self.status = f'{root}/var/run/filter_reload_status'
        # Below: what is no file on a real pfSense, but the kernel's, the daemon's or the lab's own.
        self.loaded = f'{root}/var/lab/loaded'
        self.loaded_before = f'{root}/var/lab/loaded.before'
        self.translations = f'{root}/var/lab/translations'
        self.tables = f'{root}/var/lab/tables'
        self.interfaces = f'{root}/var/lab/interfaces'
        self.disabled = f'{root}/var/lab/disabled'  # there while pf is disabled
        self.states = f'{root}/var/lab/states'
        self.packets = f'{root}/var/lab/packets'  # of the loaded rules, by tracker
        self.reloads = f'{root}/var/lab/reloads'
        self.pending = f'{root}/var/lab/pending'
        self.session = f'{root}/var/lab/gui'
        self.version = read(f'{root}/var/lab/version', '2.7.2').strip()
        text = read(f'{root}/var/lab/faults.json')
        self.faults = {}
        if text.strip(' {}\n'):
            import json
            self.faults = json.loads(text)

    def clear_fault(self, name):
        import json
        self.faults.pop(name, None)
        write(f'{self.root}/var/lab/faults.json', json.dumps(self.faults))


def read(path, default=''):
    try:
        with open(path, encoding='utf-8', errors='surrogateescape') as file:
            return file.read()
    except FileNotFoundError:
        return default


def write(path, text):
    """By a rename, as pfSense does it: nobody sees half a file."""
    temporary = f'{path}.{os.getpid()}.tmp'
    try:
        with open(temporary, 'w', encoding='utf-8', errors='surrogateescape') as file:
            file.write(text)
        os.rename(temporary, path)
    except OSError:
        remove(temporary)
        raise


def append(path, text):
    with open(path, 'a', encoding='utf-8', errors='surrogateescape') as file:
        file.write(text)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


class Locked:
    """flock(2), the lock that pfSense's lock() takes. Not inherited by what is started meanwhile."""

    def __init__(self, path, how=fcntl.LOCK_EX):
        self.path = path
        self.how = how

    def __enter__(self):
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self.file, self.how)

    def __exit__(self, *_):
        os.close(self.file)


def die(text, code):
    sys.stderr.write(text)
    sys.exit(code)


def now():
    return int(time.time())


def options(arguments, short):
    """getopt(3), which Python's own module does too, but for 8 ms of imports: ([(option, value)], rest) or None."""
    found, rest = [], list(arguments)
    while rest and rest[0][:1] == '-' and rest[0] not in ('-', '--'):
        cluster = rest.pop(0)[1:]
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            place = short.find(letter)
            if place < 0 or letter == ':':
                return None
            if short[place + 1:place + 2] != ':':
                found.append((f'-{letter}', ''))
                continue
            if not cluster and not rest:
                return None
            found.append((f'-{letter}', cluster or rest.pop(0)))
            cluster = ''
    return found, rest[1:] if rest[:1] == ['--'] else rest
