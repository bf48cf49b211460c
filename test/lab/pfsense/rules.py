"""From the configuration to pf's rules, as filter.inc does it, with all that goes wrong there in silence."""
from nat import translations
from addresses import is_address, is_port_range, networks_of, side_address

IP_TYPES = ('host', 'network', 'url', 'urltable')
PORT_PROTOCOLS = ('tcp', 'udp', 'tcp/udp', 'sctp')
LABEL_BYTES = 63
OLD = ('2.4.5', '2.6.0', '2.7.2')
SERVER_CLASSES = ('l2tp', 'pppoe', 'enc0', 'openvpn')  # in master's order


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
            self.interfaces[key]['gateway'] = one.get('gateway')
        self.groups = [one['ifname'] for one in items(tree, 'ifgroups', 'ifgroupentry')]
        self.members = {one['ifname']: [key for key in (one.get('members') or '').split() if key in self.interfaces]
                        for one in items(tree, 'ifgroups', 'ifgroupentry')}
        self.classes = dict(vpn_classes(tree))
        for one in items(tree, 'aliases', 'alias'):
            self.aliases[one.get('name')] = one
        self.gateways = gateways
        self.gateway_groups = {one.get('name'): one.get('item') or [] for one in items(tree, 'gateways', 'gateway_group')}

    def nic(self, key):
        """What pf calls an interface, a group or a VPN class; None where the configuration has none of that key."""
        if key in self.interfaces:
            return self.interfaces[key]['if']
        return key if key in self.groups or key in self.classes else None

    def macro(self, key):
        return self.interfaces[key]['macro'] if key in self.interfaces else self.classes.get(key, key)


def vpn_classes(tree):
    """(key, macro) of each class of VPN interfaces that the rules page offers."""
    if any('disabled' not in one for one in items(tree, 'ipsec', 'phase1')):
        yield 'enc0', 'IPsec'
    if items(tree, 'openvpn', 'openvpn-server') or items(tree, 'openvpn', 'openvpn-client'):
        yield 'openvpn', 'OpenVPN'
    if isinstance(tree.get('l2tp'), dict) and tree['l2tp'].get('mode') == 'server':
        yield 'l2tp', 'L2TP'
    if any(one.get('mode') == 'server' for one in items(tree, 'pppoes', 'pppoe')):
        yield 'pppoe', 'pppoe'


def items(tree, *path):
    """The dicts of a list below the tree, or none."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return [one for one in tree or [] if isinstance(one, dict)]


def cut_label(text, room):
    """At most so many letters, the last three of which say that it was longer; then at most 63 bytes."""
    text = text.replace('"', '')
    return text if len(text) <= room else text[:room - 3] + '...'


def cut_bytes(text):
    return text.encode('utf-8', 'surrogateescape')[:LABEL_BYTES].decode('utf-8', 'ignore')


def labels(context, rule):
    version, text, tracker = context.version, rule.get('descr') or '', rule.get('tracker') or ''
    schedule = find_schedule(context, rule)
    if version == 'master':
        out = [f'id={tracker}'] if tracker else []
        out += [f's={schedule}'] if schedule else []
        return out + ['tags=user_rule'] + ([cut_bytes(f'descr={cut_label(text, 57)}')] if text else [])
    out = [cut_bytes(f'USER_RULE: {cut_label(text, 52)}' if text else 'USER_RULE')]
    if version in ('2.7.2', '2.8'):
        out += [f'id:{tracker}'] if tracker else []
        out += [f's:{schedule}'] if schedule else []
        out += [f"gw:{rule['gateway']}"] if find_gateway(context, rule) else []
    return out


def find_schedule(context, rule):
    """The label of the rule's schedule; the lab's schedules never end."""
    wanted = rule.get('sched')
    found = [one for one in items(context.tree, 'schedules', 'schedule') if wanted and one.get('name') == wanted]
    return found[0].get('schedlabel') or '' if found else ''


def find_gateway(context, rule):
    """The macro of the rule's gateway, which only a pass rule uses."""
    name = rule.get('gateway')
    known = name in context.gateways or name in context.gateway_groups
    return f' $GW{name} ' if name and known and rule.get('type', 'pass') == 'pass' else ''


def number(context, tracker):
    return f"{'tracker' if context.version == '2.4.5' else 'ridentifier'} {tracker} "


def side_port(context, rule, side):
    """Only with a protocol that has ports; "0" is no port, as PHP takes it for false."""
    port = side.get('port') if isinstance(side, dict) else None
    if (rule.get('protocol') or '').lower() not in PORT_PROTOCOLS or port in (None, '', '0'):
        return ''
    if port in context.aliases:
        return f' port ${port}'
    low, _, high = port.replace('-', ':').partition(':')
    if not high:
        return f' port {low}'
    if low == '1' and high == '65535':
        return ''
    if high == '65535':
        return f' port >= {low}'
    return f' port <= {high}' if low == '1' else f' port {int(low) - 1} >< {int(high) + 1}'


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
    """What a rule is bound to: '' is every interface; None where it cannot be."""
    if not is_floating(rule):
        name = rule.get('interface') or ''
        return f' on ${context.macro(name)} ' if context.nic(name) else None
    names = [name for name in (rule.get('interface') or '').split(',') if name]
    if 'any' in names and context.version not in ('2.4.5', '2.6.0'):
        return ''
    nics = [context.nic(name) for name in names if context.nic(name)]
    if nics:
        return f" on {{  {'  '.join(nics)}  }} "
    # 2.4.5 makes a rule for every interface where it knows none of them.
    return '' if not names or context.version == '2.4.5' else None


def is_floating(rule):
    return 'floating' in rule


def direction_of(rule):
    if not is_floating(rule):
        return ' in '
    wanted = rule.get('direction') or 'any' if rule['floating'] == 'yes' else 'in'
    return '' if wanted == 'any' else f' {wanted} '


def reply_to(context, rule, family, kind):
    """On one interface with a gateway. From 2.8 on the firewall no longer adds it to block rules."""
    one = context.interfaces.get(rule.get('interface'))
    if one is None or kind == 'match' or family != 'inet' or not one['router']:
        return ''
    if context.version not in OLD and (kind != 'pass' or not direction_of(rule)):
        return ''
    # With a choice "any" there is no direction, and up to 2.7.2 no reply-to either; a missing one is forgotten there.
    return '' if rule.get('direction') == 'any' and is_floating(rule) else f"reply-to ( {one['if']} {one['router']} ) "


def flags(rule):
    if rule.get('protocol') != 'tcp':  # exactly so: "TCP" gets none
        return ''
    if 'tcpflags_any' in rule:
        return 'flags any '
    if not rule.get('tcpflags2'):
        return 'flags S/SA '
    letters = [''.join(name[:1].upper() for name in (rule.get(field) or '').split(',')) for field in ('tcpflags1', 'tcpflags2')]
    return f"flags {'/'.join(letters)} "


LIMITS = (('max', 'max'), ('max-src-nodes', 'max-src-nodes'), ('max-src-conn', 'max-src-conn'),
          ('max-src-states', 'max-src-states'), ('statetimeout', 'tcp.established'))


def state(rule, kind):
    if kind != 'pass':
        return ''
    kept = rule.get('statetype') or 'keep state'
    if kept == 'none':
        return ' no state '
    limits = [f'{word} {rule[field]}' for field, word in LIMITS if rule.get(field)]
    if rule.get('max-src-conn-rate'):
        limits.append(f"max-src-conn-rate {rule['max-src-conn-rate']} /{rule.get('max-src-conn-rates')}, "
                      'overload <virusprot> flush global ')
    limits += ['sloppy '] if kept == 'sloppy state' else []
    limits += ['no-sync '] if 'nopfsync' in rule else []
    word = kept if kept in ('modulate state', 'synproxy state') else 'keep state'
    return f"{word} {'( ' + ' '.join(limits) + ' ) ' if limits else ''}"


PRIORITIES = {name: number for number, name in enumerate(('bk', 'be', 'ee', 'ca', 'vi', 'vo', 'ic', 'nc'))}


def before_number(context, rule, family):
    """What stands between the addresses and the rule's number."""
    text = ''
    if rule.get('icmptype') and rule.get('protocol') == 'icmp':
        kinds = rule['icmptype']
        text += f"{'icmp6-type' if family == 'inet6' else 'icmp-type'} {'{ ' + kinds + ' }' if ',' in kinds else kinds} "
    if rule.get('dscp'):
        text += f" {'dscp' if context.version == '2.4.5' else 'tos'} {rule['dscp']} "
    if rule.get('tag'):
        text += f' tag "{rule["tag"]}" '
    if rule.get('tagged'):
        negated = ' ! ' if 'nottagged' in rule and context.version != '2.4.5' else ''
        text += f'{negated} tagged "{rule["tagged"]}" '
    return text


def after_number(rule):
    text = ''
    if rule.get('vlanprio') in PRIORITIES:
        text += f" prio {PRIORITIES[rule['vlanprio']]} "
    if rule.get('vlanprioset') in PRIORITIES:
        text += f" set prio {PRIORITIES[rule['vlanprioset']]} "
    return text + ('allow-opts ' if 'allowopts' in rule else '')


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
    if on is None and is_floating(rule):
        return f"# rule {rule.get('descr') or ''} has no enabled interfaces"
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
    source = side_address(context, rule.get('source'), family)
    if not source:
        return '# source address is empty.'
    destination = side_address(context, rule.get('destination'), family)
    if not destination:
        return '# destination address is empty.'
    system = f' os "{rule["os"]}" ' if rule.get('os') else ''
    schedule = find_schedule(context, rule) if context.version == '2.4.5' else ''
    return ''.join((
        'block return ' if kind == 'reject' else f'{kind} ',
        direction_of(rule),
        'log ' if 'log' in rule else '',
        ' quick ' if not is_floating(rule) or 'quick' in rule else '',
        on,
        find_gateway(context, rule) or reply_to(context, rule, family, kind),
        family,
        protocol(rule, family),
        f" from {source}{side_port(context, rule, rule['source'])} {system}",
        f"to {destination}{side_port(context, rule, rule['destination'])} ",
        before_number(context, rule, family),
        number(context, rule['tracker']) if rule.get('tracker') else '',
        after_number(rule),
        flags(rule),
        state(rule, kind),
        f'schedule "{schedule}"' if schedule else '',
    ))


def in_order(context):
    """Floating rules, then those of groups and VPNs, then those of interfaces; in each the order of the file.

    Master sorts them by key as well: own groups as the configuration has them, four kinds of VPN, the interfaces.
    """
    rules = [one for one in items(context.tree, 'filter', 'rule') if 'disabled' not in one]
    floating = [one for one in rules if is_floating(one)]
    bound = [one for one in rules if not is_floating(one)]
    classes = [*context.groups, *SERVER_CLASSES]
    grouped = [one for one in bound if one.get('interface') in classes]
    plain = [one for one in bound if one.get('interface') not in classes]
    if context.version == 'master':
        places = {name: place for place, name in enumerate([*classes, *context.interfaces])}
        for found in (grouped, plain):
            found.sort(key=lambda one: places.get(one.get('interface'), len(places)))
    return floating + grouped + plain


def user_rules(context):
    for rule in in_order(context):
        tail = ' '.join(f'label "{text}"' for text in labels(context, rule))
        families = ('inet', 'inet6') if rule.get('ipprotocol') == 'inet46' else (
            'inet6' if rule.get('ipprotocol') == 'inet6' else 'inet',)
        for family in families:
            yield f'{user_rule(context, rule, family).rstrip()} {tail}'


def definitions(context):
    for key, one in context.interfaces.items():
        yield f"{one['macro']} = \"{{ {one['if']} }}\""
    for name in context.groups:
        yield f'{name} = "{{ {name} }}"'
    for key, name in context.classes.items():
        yield f'{name} = "{{ {key} }}"'
    if context.version not in ('2.4.5', '2.6.0'):
        for key in [*context.interfaces, *context.groups]:
            name = f"{key.upper() if key in context.interfaces else key}__NETWORK"
            yield f"table <{name}> persist {{ {' '.join(networks_of(context, key))} }}\n{name} = \"<{name}>\""
    for name, router in context.gateways.items():
        nic = next((one['if'] for one in context.interfaces.values() if one['gateway'] == name), None)
        yield f'GW{name} = " route-to ( {nic} {router} ) "' if nic and router else f'GW{name} = "  "'
    for name, members in context.gateway_groups.items():
        first = (members[0] if members else '').partition('|')[0]
        nic = next((one['if'] for one in context.interfaces.values() if one['gateway'] == first), None)
        yield f'GW{name} = "  route-to {{ ( {nic} {context.gateways.get(first)} )  }}  "' if nic else f'GW{name} = "  "'
    yield 'table <bogons> persist file "/etc/bogons"\ntable <snort2c>\ntable <sshguard> persist\ntable <virusprot>'
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
    lines = [*definitions(context), *translations(context), 'anchor "openvpn/*"', 'anchor "ipsec/*"', *system_rules(context),
             'anchor "userrules/*"', '', '# User-defined rules follow', '', *user_rules(context), '',
             'anchor "tftp-proxy/*"', '']
    return '\n'.join(lines), context.notices
