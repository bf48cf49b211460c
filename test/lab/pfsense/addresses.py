"""What pfSense takes for an address or a port."""
from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

# getservbyname(3), as far as the tests go: a container may have no /etc/services.
SERVICES = {
    'ftp': 21, 'ssh': 22, 'telnet': 23, 'smtp': 25, 'domain': 53, 'http': 80, 'pop3': 110, 'ntp': 123, 'imap': 143,
    'snmp': 161, 'sunrpc': 111, 'syslog': 514, 'tproxy': 8081, 'isakmp': 500, 'ldap': 389, 'https': 443, 'submission': 587, 'ldaps': 636, 'imaps': 993, 'pop3s': 995,
    'ms-wbt-server': 3389, 'postgresql': 5432, 'http-alt': 8080,
}
NAMES = {port: name for name, port in SERVICES.items()}


def family_of(text):
    """inet or inet6 for an address or a network, else None. No leading zeros, no spaces, no short forms."""
    host, slash, bits = text.partition('/')
    if slash and not (bits.isdigit() and len(bits) < 4):
        return None
    family, most = (AF_INET6, 128) if ':' in host else (AF_INET, 32)
    try:
        inet_pton(family, host.partition('%')[0])
    except (OSError, ValueError):
        return None
    if slash and int(bits) > most:
        return None
    return 'inet6' if family == AF_INET6 else 'inet'


def is_address(text):
    return family_of(text) is not None


def is_port(text):
    return 1 <= int(text) <= 65535 if text.isascii() and text.isdigit() else text in SERVICES


def is_port_range(text):
    parts = text.split(':')
    return len(parts) <= 2 and all(map(is_port, parts))


def to_number(text):
    host = text.partition('/')[0].partition('%')[0]
    packed = inet_pton(AF_INET6 if ':' in host else AF_INET, host)
    return int.from_bytes(packed, 'big'), len(packed)


def masked(address, bits):
    """The network an address lies in, as text."""
    value, size = to_number(address)
    keep = ((1 << bits) - 1) << (size * 8 - bits)
    packed = (value & keep).to_bytes(size, 'big')
    return f'{inet_ntop(AF_INET if size == 4 else AF_INET6, packed)}/{bits}'


def holds(network, address):
    host, _, bits = network.partition('/')
    if family_of(host) != family_of(address):
        return False
    width = int(bits) if bits else to_number(host)[1] * 8
    return masked(host, width) == masked(address, width)


def network_of(context, name, family):
    """What <network> stands for: an interface's network ("lan"), its address ("lanip"), or itself."""
    if name == '(self)' or is_address(name):
        return name
    key = name[:-2] if name.endswith('ip') and name[:-2] in context.interfaces else name
    one = context.interfaces.get(key)
    if one is None:
        return f'${name}__NETWORK' if name in context.groups and has_network_tables(context) else ''
    if key != name:
        return one['raw']['ipaddr' if family == 'inet' else 'ipaddrv6'] if static(one, family) else f"({one['if']})"
    if has_network_tables(context):
        return f'${key.upper()}__NETWORK'
    return masked_network(one, family) if static(one, family) else f"({one['if']}:network)"


def has_network_tables(context):
    return context.version not in ('2.4.5', '2.6.0')


def masked_network(one, family):
    six = '' if family == 'inet' else 'v6'
    return masked(one['raw'][f'ipaddr{six}'], int(one['raw'][f'subnet{six}']))


def networks_of(context, key):
    """The networks of an interface, or of the members of a group: as dhcp gave them, or as configured."""
    members = context.members[key] if key in context.groups else [key]
    found = []
    for one in (context.interfaces[name] for name in members):
        found += [masked_network(one, family) for family in ('inet', 'inet6') if static(one, family)]
        if one['raw'].get('ipaddr') == 'dhcp' and one['router']:
            found.append(masked(one['router'], 24))
    return found


def static(one, family):
    six = '' if family == 'inet' else 'v6'
    return family_of(one['raw'].get(f'ipaddr{six}') or '') == family and bool(one['raw'].get(f'subnet{six}'))


def side_address(context, side, family):
    """An end of a rule or a translation, without its port; '' where it says nothing."""
    if not isinstance(side, dict):
        return ''
    if 'any' in side:
        return 'any'
    text = ''
    if side.get('network'):
        text = network_of(context, side['network'], family)
    elif side.get('address'):
        text = f"${side['address']}" if side['address'] in context.aliases else side['address']
    return f"{'! ' if 'not' in side else ''}{text}" if text else ''
