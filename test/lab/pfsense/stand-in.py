"""The body of each stand-in: copied to the program's own path, with its first line put before it."""
import os
import sys

# A stand-in lies at <root>/<where pfSense has it>; its root is told by its own place, not by the environment.
PLACES = {
    'ifconfig': ('sbin', 'ifconfig', 'ifconfig'),
    'pfctl': ('sbin', 'pfctl', 'pfctl'),
    'rc.filter_configure': ('etc', 'reload', 'rc'),
    'rc.filter_configure_sync': ('etc', 'reload', 'rc'),
    'lockf': ('usr/bin', 'lockf', 'lockf'),
    'php': ('usr/local/bin', 'php', 'php'),
    'gui': ('usr/local/sbin', 'gui', 'gui'),
}
own = os.path.abspath(__file__)
folder, module, function = PLACES[os.path.basename(own)]
root = os.path.dirname(own)[:-len(folder) - 1]
sys.path.insert(0, f'{root}/lab')
from lab import Lab  # noqa: E402

getattr(__import__(module), function)(Lab(root), sys.argv[1:])
