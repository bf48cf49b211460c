"""From the configuration to pf's rules, as filter.inc does it, with all that goes wrong there in silence."""
from addresses import is_address, is_port_range, network_of

IP_TYPES = ('host', 'network', 'url', 'urltable')
PORT_PROTOCOLS = ('tcp', 'udp', 'tcp/udp', 'sctp')
LABEL_BYTES = 63


class Context:
    def __init__(self, tree, version, routers):
        self.version = version
        self.tree = tree
        self.interfaces = {}
        self.aliases = {}
        self.notices = []
        gateways = {one['name']: one.get('gateway') for one in items(tree, 'gateways', 'gateway_item')}
        for key, one in (tree.get('interfaces') or {}).items():
            if not isinstance(one, dict) or 'enable' not in one or not one.get('if'):
                continue
            router = gateways.get(one.get('gateway')) if one.get('gateway') else None
            if one.get('ipaddr') == 'dhcp':
                router = routers.get(one['if'])
            self.interfaces[key] = {'if': one['if'], 'macro': (one.get('descr') or key).upper(), 'router': router,
                                    'raw': one}
        self.classes = classes(tree)
        self.groups = [one['ifname'] for one in items(tree, 'ifgroups', 'ifgroupentry')]
        for one in items(tree, 'aliases', 'alias'):
            self.aliases[one.get('name')] = one


def classes(tree):
    """The keys of VPNs that the rules page offers, with the macro of each."""
    def section(name):
        return tree.get(name) if isinstance(tree.get(name), dict) else {}
    found = {}
    if any('disabled' not in one for one in items(tree, 'ipsec', 'phase1')):
        found['enc0'] = 'IPsec'
    if items(tree, 'openvpn', 'openvpn-server') or items(tree, 'openvpn', 'openvpn-client'):
        found['openvpn'] = 'OpenVPN'
    if section('l2tp').get('mode') == 'server':
        found['l2tp'] = 'L2TP'
    if any(one.get('mode') == 'server' for one in items(tree, 'pppoes', 'pppoe')):
        found['pppoe'] = 'pppoe'
    return found


def items(tree, *path):
    """The dicts of a list below the tree, or none."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return [one for one in tree or [] if isinstance(one, dict)]


def cut_label(text):
    return text.replace('"', '').encode('utf-8', 'surrogateescape')[:LABEL_BYTES].decode('utf-8', 'ignore')


def labels(rule, version):
    text, tracker = rule.get('descr') or '', rule.get('tracker') or ''
    if version == 'master':
        out = [f'id={tracker}'] if tracker else []
        return out + ['tags=user_rule'] + ([cut_label(f'descr={text}')] if text else [])
    out = [cut_label(f'USER_RULE: {text}' if text else 'USER_RULE')]
    return out + ([f'id:{tracker}'] if tracker and version in ('2.7.2', '2.8') else [])


def number(context, tracker):
    return f"{'tracker' if context.version == '2.4.5' else 'ridentifier'} {tracker} "


def side_address(context, side, family):
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


def side_port(context, rule, side):
    """Only with a protocol that has ports; "0" is no port, as PHP takes it for false."""
    port = side.get('port') if isinstance(side, dict) else None
    if (rule.get('protocol') or '').lower() not in PORT_PROTOCOLS or port in (None, '', '0'):
        return ''
    return f" port {'$' + port if port in context.aliases else port.replace('-', ':')}"


def find_unresolvable(context, rule):
    sides = [(name, rule.get(name)) for name in ('source', 'destination') if isinstance(rule.get(name), dict)]
    for name, side in sides:
        address = side.get('address')
        if address and address not in context.aliases and not is_address(address):
            return f"Unresolvable {name} alias '{address}' for rule '{rule.get('descr') or ''}'"
    for name, side in sides:
        port = side.get('port')
        if port and port != '0' and port not in context.aliases and not is_port_range(port.replace('-', ':')):
            return f"Unresolvable {name} port alias '{port}' for rule '{rule.get('descr') or ''}'"
    return None


def on_interfaces(context, rule):
    """The macros a rule is bound to, or None where it cannot be."""
    names = (rule.get('interface') or '').split(',') if is_floating(rule) else [rule.get('interface') or '']
    macros = [f"${context.interfaces[name]['macro']}" if name in context.interfaces
              else f'${context.classes.get(name, name)}'
              for name in names if name in context.interfaces or name in context.groups or name in context.classes]
    if macros:
        return f' on {macros[0]} ' if len(macros) == 1 else f" on {{ {' '.join(macros)} }} "
    return '' if is_floating(rule) and not any(names) else None


def is_floating(rule):
    return rule.get('floating') == 'yes'


def reply_to(context, rule, direction, family, kind):
    """Up to 2.7.2, on an interface with a gateway. In 2.8 the firewall no longer adds it to block rules."""
    one = context.interfaces.get(rule.get('interface'))
    if context.version in ('2.8', 'master') or not direction or one is None or kind == 'match':
        return ''
    return f"reply-to ( {one['if']} {one['router']} ) " if family == 'inet' and one['router'] else ''


def flags(rule, kind):
    text = ''
    if rule.get('protocol') == 'tcp':  # exactly so: "TCP" gets none
        text = 'flags any ' if 'tcpflags_any' in rule else 'flags S/SA '
    return text + f"{rule.get('statetype') or 'keep state'} " if kind == 'pass' else text


def protocol(rule, family):
    name = rule.get('protocol')
    if name:
        if name == 'tcp/udp':
            return ' proto { tcp udp } '
        return ' proto ipv6-icmp ' if name == 'icmp' and family == 'inet6' else f' proto {name} '
    ports = [side.get('port') for side in (rule.get('source'), rule.get('destination')) if isinstance(side, dict)]
    return ' proto tcp ' if any(ports) else ''  # ... and yet side_port() prints no port then


def user_rule(context, rule, family):
    on = on_interfaces(context, rule)
    if on is None:
        known = ' '.join(one['macro'] for one in context.interfaces.values())
        wanted = rule.get('interface') or ''
        return f"# array key \"{wanted}\" does not exist for \"{rule.get('descr') or ''}\" in array: {{ {known} }}"
    problem = find_unresolvable(context, rule)
    if problem:
        context.notices.append(problem)
        return f'# {problem}'
    kind = rule.get('type')
    if kind not in ('pass', 'block', 'reject', 'match'):
        kind = 'pass'  # "default (for older rules)": a typo opens the firewall
    direction = ' in '
    if is_floating(rule):
        wanted = rule.get('direction') or 'any'
        direction = '' if wanted == 'any' else f' {wanted} '
    source = side_address(context, rule.get('source'), family)
    if not source:
        return '# source address is empty.'
    destination = side_address(context, rule.get('destination'), family)
    if not destination:
        return '# destination address is empty.'
    return ''.join((
        'block return ' if kind == 'reject' else f'{kind} ',
        direction,
        'log ' if 'log' in rule else '',
        ' quick ' if not is_floating(rule) or 'quick' in rule else '',
        on,
        reply_to(context, rule, direction, family, kind),
        family,
        protocol(rule, family),
        f" from {source}{side_port(context, rule, rule['source'])} ",
        f"to {destination}{side_port(context, rule, rule['destination'])} ",
        number(context, rule['tracker']) if rule.get('tracker') else '',
        flags(rule, kind),
    ))


def user_rules(context):
    """Floating rules, then those of groups, then those of interfaces; in each the order of the file."""
    rules = [one for one in items(context.tree, 'filter', 'rule') if 'disabled' not in one]
    floating = [one for one in rules if is_floating(one)]
    early = {*context.groups, *context.classes}
    grouped = [one for one in rules if not is_floating(one) and one.get('interface') in early]
    plain = [one for one in rules if not is_floating(one) and one.get('interface') not in early]
    for rule in floating + grouped + plain:
        tail = ' '.join(f'label "{text}"' for text in labels(rule, context.version))
        families = ('inet', 'inet6') if rule.get('ipprotocol') == 'inet46' else (
            'inet6' if rule.get('ipprotocol') == 'inet6' else 'inet',)
        for family in families:
            yield f'{user_rule(context, rule, family).rstrip()} {tail}'


def definitions(context):
    for key, one in context.interfaces.items():
        yield f"{one['macro']} = \"{{ {one['if']} }}\""
    for group in items(context.tree, 'ifgroups', 'ifgroupentry'):
        nics = [context.interfaces[key]['if'] for key in (group.get('members') or '').split() if key in context.interfaces]
        yield f"{group['ifname']} = \"{{ {' '.join(nics) or group['ifname']} }}\""
    for key, macro in context.classes.items():
        yield f'{macro} = "{{ {key} }}"'
    yield 'table <bogons> persist file "/etc/bogons"\ntable <snort2c>\ntable <sshguard> persist'
    for name, one in context.aliases.items():
        content = (one.get('address') or '').split()
        if one.get('type') not in IP_TYPES:
            yield f"{name} = \"{{ {' '.join(content)} }}\"" if content else f'# {name} is empty'
        elif content and all(map(is_address, content)):
            yield f"table <{name}> {{ {'  '.join(content)} }}\n{name} = \"<{name}>\""
        else:
            yield f'table <{name}> persist\n{name} = "<{name}>"'


def system_rules(context):
    """Of pfSense's own rules those that decide what a rule of ours is worth."""
    def rule(start, tracker, end):
        return f'{start} {number(context, tracker)}{end}'
    for way in ('in', 'out'):
        for family, text, tracker in (('inet', 'IPv4', 1000000103), ('inet6', 'IPv6', 1000000105)):
            shift = tracker + (way == 'out')
            yield rule(f'block {way} log {family} all', shift, f'label "Default deny rule {text}"')
    yield rule('block log quick from <snort2c> to any', 1000000118, 'label "Block snort2c hosts"')
    yield rule('block log quick from any to <snort2c>', 1000000119, 'label "Block snort2c hosts"')
    yield rule('block in log quick proto tcp from <sshguard> to (self) port 22', 1000000301, 'label "sshguard"')
    for key, one in context.interfaces.items():
        if 'blockbogons' in one['raw']:
            text = f"block bogon IPv4 networks from {one['macro']}"
            yield rule(f"block in log quick on ${one['macro']} from <bogons> to any", 11001, f'label "{text}"')
    yield 'pass out  inet all keep state allow-opts ' + number(context, 1000002765) + 'label "let out anything"'
    lan = context.interfaces.get('lan')
    system = context.tree.get('system') or {}
    if lan and 'noantilockout' not in (system.get('webgui') or {}):
        port = (system.get('webgui') or {}).get('port') or '443'
        yield rule(f"pass in  quick on {lan['if']} proto tcp from any to ({lan['if']}) port {{ {port} 22 }}", 10001,
                   'keep state label "anti-lockout rule"')


def generate(tree, version, routers):
    """The text of rules.debug, and what pfSense would tell the admin about it."""
    context = Context(tree, version, routers)
    lines = [*definitions(context), 'anchor "openvpn/*"', 'anchor "ipsec/*"', *system_rules(context),
             'anchor "userrules/*"', '', '# User-defined rules follow', '', *user_rules(context), '',
             'anchor "tftp-proxy/*"', '']
    return '\n'.join(lines), context.notices
