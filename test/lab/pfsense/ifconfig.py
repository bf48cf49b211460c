"""ifconfig, without arguments: the interfaces, their addresses and the groups they are in."""
from lab import read


def ifconfig(lab, _arguments):
    print(read(lab.interfaces), end='')
