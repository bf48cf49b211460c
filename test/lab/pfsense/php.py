"""PHP, as far as a playbook needs it: whatever code it is given, it parses the file named last, as pfSense would.

Code that saves (it calls write_config) is played as a save with the last argument as its text.
"""
import sys

from config import Fatal, Malformed, parse
from lab import read
from reload import read_or_die
from store import write_config


def php(lab, arguments):
    if arguments[:1] == ['-v']:
        print('PHP 8.2.11 (cli)')
        return
    code = arguments[arguments.index('-r') + 1] if '-r' in arguments else read(arguments[0] if arguments else '')
    if 'write_config(' in code:
        write_config(lab, read_or_die(lab), arguments[-1], '(system)')
        return
    path = arguments[-1] if arguments else ''
    try:
        with open(path, 'rb') as file:
            parse(file.read(), path)
    except OSError:
        print('Error: could not open XML input')
        sys.exit(1)
    except Malformed as error:
        print(error)
        sys.exit(1)
    except Fatal as error:
        print(f'PHP Fatal error:  Uncaught Exception: {error}')
        sys.exit(1 if lab.version in ('2.8', 'master') else 255)
