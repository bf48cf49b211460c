"""FreeBSD's lockf(1): runs a command under flock(2), or exits 75 when the lock was not to be had."""
import fcntl
import os
import signal
import sys
import time

from lab import die, options

TEMPFAIL = 75


def take(file, seconds):
    if seconds is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return True
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)


def lockf(_lab, arguments):
    given, rest = options(arguments, 'knst:w') or ([], [])
    if len(rest) < 2:
        die('usage: lockf [-knsw] [-t seconds] file command [arguments]\n', 64)
    wanted = dict(given)
    path, *command = rest
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if '-n' in wanted else os.O_CREAT), 0o666)
    except OSError as error:
        die(f'lockf: cannot open {path}: {error.strerror}\n', 69 if '-n' in wanted else 73)
    if not take(file, float(wanted['-t']) if '-t' in wanted else None):
        die('' if '-s' in wanted else f'lockf: {path}: already locked\n', TEMPFAIL)
    child = os.fork()
    if child == 0:
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, f'lockf: {command[0]}: {error.strerror}\n'.encode())
            os._exit(1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the lock is held for as long as the command runs
    _, status = os.waitpid(child, 0)
    if '-k' not in wanted:
        os.unlink(path)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 70)
