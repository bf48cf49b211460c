"""Reading and saving the configuration: the serialised cache, pfSense's lock, the history, the restore."""
import fcntl
import marshal
import os

from config import Fatal, Malformed, dump, parse
from lab import Locked, now, remove, write

KEPT = 30


def read_cache(lab):
    """Up to 2.8 the cache is believed whenever it is there; master compares times, in whole seconds."""
    try:
        if lab.version == 'master' and int(os.stat(lab.cache).st_mtime) < int(os.stat(lab.config).st_mtime):
            return None
        with open(lab.cache, 'rb') as file:
            return marshal.load(file)
    except (OSError, ValueError, EOFError, TypeError):
        return None


def write_cache(lab, tree):
    temporary = f'{lab.cache}.{os.getpid()}.tmp'
    with open(temporary, 'wb') as file:
        marshal.dump(tree, file)
    os.rename(temporary, lab.cache)


def history(lab):
    """History files, the newest first."""
    names = [name for name in os.listdir(lab.history) if name.startswith('config-') and name.endswith('.xml')]
    return [f'{lab.history}/{name}' for name in sorted(names, key=lambda name: int(name[7:-4]), reverse=True)]


def restore(lab, why):
    """Puts the newest history file that can be parsed over config.xml. What stood there is gone (2.8: kept as .bad)."""
    if lab.version in ('2.8', 'master') and os.path.exists(lab.config):
        os.replace(lab.config, f'{lab.config}.bad')
    for path in history(lab):
        with open(path, 'rb') as file:
            data = file.read()
        try:
            tree = parse(data)
        except (Malformed, Fatal):
            continue
        write(lab.config, data.decode('utf-8', 'surrogateescape'))
        return tree
    raise Fatal(f'{why}\nNo config.xml found, and no valid backup of it either.')


def load_file(lab):
    try:
        with open(lab.config, 'rb') as file:
            data = file.read()
    except FileNotFoundError as error:
        return restore(lab, str(error))
    throws = lab.version not in ('2.8', 'master')
    try:
        return parse(data, lab.config)
    except Malformed as error:
        tree = restore(lab, str(error))
        if throws:  # the file is restored, but this first request still dies
            raise Fatal(str(error)) from None
        return tree
    except Fatal as error:
        if throws:
            raise
        return restore(lab, str(error))


def parse_config(lab):
    """What every PHP script of pfSense does first. Takes the lock: whoever calls it under the lock hangs."""
    with Locked(lab.lock, fcntl.LOCK_SH):
        tree = read_cache(lab)
        if tree is None:
            tree = load_file(lab)
            write_cache(lab, tree)
        return tree


def write_config(lab, tree, description, user='admin@192.168.1.20 (Local Database)'):
    """Saves the tree in memory over the file, whatever the file says by now."""
    with Locked(lab.lock, fcntl.LOCK_EX):
        old = tree.get('revision') or {}
        with open(lab.config, encoding='utf-8', errors='surrogateescape') as file:
            write(f"{lab.history}/config-{old.get('time') or 0}.xml", file.read())
        revision = {'time': str(now()), 'description': f'{user}: {description}', 'username': user}
        tree['revision'] = {**old, **revision}
        write(lab.config, dump(tree, lab.version))
        remove(lab.cache)
        for path in history(lab)[KEPT:]:
            remove(path)
        write(f'{lab.history}/backup.cache', '\n'.join(map(os.path.basename, history(lab))))
        write_cache(lab, tree)
