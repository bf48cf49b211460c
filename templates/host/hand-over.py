"""Hands the alarm of an SSH caller to a Firebreak that runs already, which spares the start of Node.

    python3 -IS hand-over.py SOCKET PROGRAM [ARGUMENT]...

`firebreak serve` and `firebreak run` listen on SOCKET. Where none does, or none answers, PROGRAM is run in place of this
one: it takes the request from the environment, as without this file. Both ways are told the same id of the alarm, so that
what one has recorded is not recorded by the other.

Request: the id, SSH_CLIENT and the request itself, separated by NUL. Answer: "+" at once, then a line with the exit code
and the sizes of what goes to stdout and to stderr, then both.
"""
import os
import sys
import time

import _socket  # what the module socket is made of: half of this program's time would go into loading the rest

SIGN_OF_LIFE = 5  # seconds until the first byte
PATIENCE = 900  # seconds until the last one: longer than any run
LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'


def make_id():
    """A ULID: 48 bits of time in milliseconds, 80 random ones."""
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), 'big')
    return ''.join(LETTERS[number >> shift & 31] for shift in range(125, -1, -5))


def ask(address, request):
    """The exit code and both texts; None if the answer is not whole."""
    link = _socket.socket(_socket.AF_UNIX)
    link.settimeout(SIGN_OF_LIFE)
    link.connect(address)
    link.sendall(request)
    link.shutdown(_socket.SHUT_WR)
    if link.recv(1) != b'+':
        return None
    link.settimeout(PATIENCE)
    answer = b''.join(iter(lambda: link.recv(65536), b''))
    head, _, body = answer.partition(b'\n')
    code, out, err = (int(word) for word in head.split())
    return (code, body[:out], body[out:]) if len(body) == out + err else None


def write(descriptor, text):
    try:
        while text:
            text = text[os.write(descriptor, text):]
    except OSError:
        pass  # the caller has gone; its alarm has not


def main(address, *program):
    request = os.environb.get(b'SSH_ORIGINAL_COMMAND', b'')
    alarm = make_id()
    answer = None
    try:
        client = os.environb.get(b'SSH_CLIENT', b'')
        answer = ask(address, b'\0'.join([alarm.encode(), client, request])) if request else None
    except (OSError, ValueError):
        pass  # no process listens, or it ended before it had answered
    if answer is None:
        os.execv(program[0], [*program, '--alarm', alarm])
    code, out, err = answer
    write(1, out)
    write(2, err)
    return code


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
