"""Port forwards and 1:1 NAT, as filter.inc writes them. pf translates a packet before it asks the filter rules."""
from addresses import is_address, network_of, side_address


def translations(context):
    yield 'no nat proto carp\nnat-anchor "natearly/*"\nnat-anchor "natrules/*"'
    for one in items(context, 'onetoone'):
        yield from one_to_one(context, one)
    yield 'no rdr proto carp\nrdr-anchor "tftp-proxy/*"'
    for one in items(context, 'rule'):
        yield from forward(context, one)


def items(context, name):
    nat = context.tree.get('nat')
    found = nat.get(name) if isinstance(nat, dict) else None
    return [one for one in found or [] if isinstance(one, dict) and 'disabled' not in one]


def family_word(context, one):
    if context.version == '2.4.5':
        return ''
    return 'inet6 ' if one.get('ipprotocol') == 'inet6' else 'inet '


def address_of(context, side, family):
    """An end of a translation, without its port."""
    return side_address(context, side, family) or 'any'


def port_text(context, port):
    if not port:
        return ''
    return f" port {'$' + port if port in context.aliases else port.replace('-', ':')}"


def forward(context, one):
    nic = context.nic(one.get('interface') or 'wan')
    destination = one.get('destination') if isinstance(one.get('destination'), dict) else {}
    is_group = one.get('interface') in context.groups
    if nic is None or (is_group and context.version == '2.4.5' and 'any' in destination):
        return
    family = 'inet6' if one.get('ipprotocol') == 'inet6' else 'inet'
    source = one.get('source') if isinstance(one.get('source'), dict) else {}
    has_ports = one.get('protocol') in ('tcp', 'udp', 'tcp/udp')
    ends = (
        f'{family_word(context, one)}{protocol_of(context, one)}'
        f"from {address_of(context, source, family)}{port_text(context, source.get('port')) if has_ports else ''} "
        f"to {address_of(context, destination, family)}{port_text(context, destination.get('port')) if has_ports else ''}"
    )
    if 'nordr' in one:
        yield f'no rdr on {nic} {ends}'
        return
    target = one.get('target') or ''
    target = f'${target}' if target in context.aliases else target
    local = local_port(context, one, destination) if has_ports else ''
    passes = 'pass ' if one.get('associated-rule-id') == 'pass' else ''
    yield f'rdr {passes}on {nic} {ends} -> {target}{local}'
    reflection = reflection_of(context, one)
    others = ' '.join([*(each['if'] for each in context.interfaces.values() if each['if'] != nic), *context.classes,
                       *context.groups])
    if reflection == 'purenat':
        yield f'rdr {passes}on {{ {others} }} {ends} -> {target}{local}'
    elif reflection == 'enable' and has_ports:
        yield f'rdr {passes}on {{ {others} }} {ends} tag PFREFLECT -> 127.0.0.1 port 19000'


def protocol_of(context, one):
    if 'protocol' not in one:
        return 'proto  '  # which pf refuses
    if one['protocol'] == 'any':
        return 'proto any ' if context.version in ('2.4.5', '2.6.0') else ''
    return 'proto { tcp udp } ' if one['protocol'] == 'tcp/udp' else f"proto {one['protocol']} "


def local_port(context, one, destination):
    """Nothing where the port stays the same."""
    wanted, port = one.get('local-port') or '', destination.get('port') or ''
    if wanted in context.aliases and wanted != port:
        wanted = (context.aliases[wanted].get('address') or '').split()[0]
    low, _, high = port.replace('-', ':').partition(':')
    if not wanted or wanted in (port, low):
        return ''
    return f' port {wanted}:{int(wanted) + int(high) - int(low)}' if high else f' port {wanted}'


def reflection_of(context, one):
    system = context.tree.get('system') or {}
    usual = '' if 'disablenatreflection' in system else (
        'purenat' if 'enablenatreflectionpurenat' in system else 'enable')
    wanted = one.get('natreflection') or usual
    return '' if wanted == 'disable' else wanted


def one_to_one(context, one):
    nic = context.nic(one.get('interface') or 'wan')
    external = one.get('external') or ''
    if external == 'wanip':
        external = '' if context.version == '2.4.5' else network_of(context, 'wanip', 'inet')
    if nic is None or not external or 'nobinat' in one:
        return
    family = 'inet6' if one.get('ipprotocol') == 'inet6' else 'inet'
    source = address_of(context, one.get('source'), family)
    bits = source.partition('/')[2] if is_address(source) else ''
    external = f'{external}/{bits}' if bits and '/' not in external else external
    yield (f'binat on {nic} {family_word(context, one)}from {source} '
           f"to {address_of(context, one.get('destination'), family)} -> {external}")
