"""Whether pf takes a ruleset, and how `pfctl -sr` shows it afterwards: all of it or nothing."""
from addresses import NAMES, SERVICES, family_of

PROTOCOLS = {'tcp': 'tcp', 'udp': 'udp', 'icmp': 'icmp', 'ipv6-icmp': 'ipv6-icmp', 'esp': 'esp', 'gre': 'gre',
             'sctp': 'sctp', 'igmp': 'igmp', 'ah': 'ah', 'carp': 'carp', '41': 'ipv6'}
TOS = {'ef': '0xb8', 'af11': '0x28', 'cs1': '0x20', 'va': '0xb0'}
PUNCTUATION = '{}(),<>!='
LABEL_ROOM = 63


class Compiled:
    """What pf has after a load: rules, translations, tables by name, and complaints; with one of those, nothing."""

    def __init__(self):
        self.rules, self.translations, self.tables, self.complaints = [], [], {}, []


class Refused(Exception):
    """pfctl's complaint about one line."""


def logical_lines(text):
    """(number, line): a quoted string runs over line ends until its closing quote, as in pfctl's lexer."""
    held, first = '', 0
    for count, line in enumerate(text.split('\n'), 1):
        line = without_comment(held + line)
        first = first if held else count
        if quotes(line) % 2:
            held = line
            continue
        held = ''
        yield first, line
    if held:
        yield first, held


def without_comment(line):
    if '#' not in line:
        return line
    parts = line.replace('\\"', '\0').split('"')
    for place in range(0, len(parts), 2):
        if '#' in parts[place]:
            parts[place:] = [parts[place].partition('#')[0]]
            break
    return '"'.join(parts).replace('\0', '\\"')


def quotes(line):
    count = line.count('"')
    if '\\' in line:  # an escaped quote does not close the string
        count -= line.count('\\"')
    return count


def tokens(line, macros):
    """Words and punctuation; a quoted string is one token with its opening quote kept."""
    marked = line.replace('\\"', '\0')
    for place, part in enumerate(marked.split('"')):
        if place % 2:
            yield '"' + part.replace('\0', '"')
            continue
        for sign in PUNCTUATION:
            if sign in part:
                part = part.replace(sign, f' {sign} ')
        for word in part.split():
            if word[0] == '$':
                if word[1:] not in macros:
                    raise Refused(f"macro '{word[1:]}' not defined")
                yield from tokens(macros[word[1:]], macros)
            else:
                yield word


class Rule:
    """One line of the grammar, token by token. Any token out of place is a syntax error, as in yacc."""

    def __init__(self, words):
        self.words = words
        self.at = 0
        self.action = self.next()
        self.how = 'drop'
        self.direction = self.log = self.quick = self.routing = self.family = self.flags = self.state = self.system = ''
        self.labels, self.extra, self.tracker, self.tags, self.before_state = [], [], '', [], []
        self.interfaces, self.protocols, self.kinds = [''], [''], ['']
        self.source = self.destination = ([('any', '')], [''])
        self.head()
        self.hosts()
        while self.at < len(self.words):
            self.option(self.next())

    def next(self):
        if self.at >= len(self.words):
            raise Refused('syntax error')
        self.at += 1
        return self.words[self.at - 1]

    def peek(self):
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self, *wanted):
        word = self.peek()
        if word in wanted:
            self.at += 1
            return word
        return ''

    def need(self, wanted):
        if self.next() != wanted:
            raise Refused('syntax error')

    def many(self, one):
        if not self.take('{'):
            return [one()]
        found = []
        while not self.take('}'):
            found.append(one())
            self.take(',')
        return found

    def word(self):
        word = self.next()
        if word in PUNCTUATION or word[0] == '"':
            raise Refused('syntax error')
        return word

    def head(self):
        if self.action == 'block':
            self.how = self.take('return', 'drop') or 'drop'
        self.direction = self.take('in', 'out')
        self.log = self.take('log')
        self.quick = self.take('quick')
        if self.take('on'):
            # A macro inside braces is a list in a list, which pf flattens.
            self.interfaces = [one for found in self.many(lambda: self.many(self.word)) for one in found]
        way = self.take('reply-to', 'route-to')
        if way:
            self.routing = f'{way} {self.many(self.hop)[0]}'
            if not self.direction:
                raise Refused('direction must be explicit with rules that specify routing')
        self.ends_family()

    def hop(self):
        self.need('(')
        hop = f'({self.word()} {self.word()})'
        self.need(')')
        return hop

    def ends_family(self):
        self.family = self.take('inet', 'inet6')
        if self.take('proto'):
            self.protocols = self.many(self.protocol)

    def protocol(self):
        name = self.word()
        if name.lower() not in PROTOCOLS:
            raise Refused(f'unknown protocol {name}')
        return PROTOCOLS[name.lower()]

    def hosts(self):
        if self.take('all'):
            return
        if self.take('from'):
            self.source = self.side()
            if self.take('os'):
                self.system = f' os "{self.next()[1:]}"'
        if self.take('to'):
            self.destination = self.side()

    def side(self):
        negated = '! ' if self.take('!') else ''
        hosts = [(negated + text, family) for text, family in self.many(self.host)]
        return hosts, self.many(self.port) if self.take('port') else ['']

    def host(self):
        if self.take('('):
            name = self.word()
            self.need(')')
            return f'({name})', ''
        if self.take('<'):
            name = self.word()
            self.need('>')
            return f'<{name}>', ''
        text = self.word()
        family = family_of(text)
        if family is None and text != 'any':
            raise Refused(f'no IP address found for {text}')
        return text, family or ''

    def port(self):
        sign = self.take('=', '<', '>')
        sign += self.take('=') if sign in ('<', '>') else ''
        low, _, high = self.word().partition(':')
        if not sign and self.take('>'):
            self.need('<')
            return f'{self.known(low)} >< {self.known(self.word())}'
        for one in (low, high):
            self.known(one)
        shown = str(NAMES.get(int(low), low)) if low.isdigit() else low
        return f'{low}:{high}' if high else f"{sign or '='} {shown}"

    @staticmethod
    def known(port):
        if port and not port.isdigit() and port not in SERVICES:
            raise Refused(f'unknown port {port}')
        if port.isdigit() and int(port) > 65535:
            raise Refused(f'illegal port value {port}')
        return port

    def option(self, word):
        if word == 'label':
            text = self.next()
            if text[0] != '"':
                raise Refused('syntax error')
            if len(text[1:].encode('utf-8', 'surrogateescape')) > LABEL_ROOM:
                raise Refused('rule label too long (max 63 chars)')
            self.labels.append(text[1:])
        elif word in ('ridentifier', 'tracker'):
            number = self.next()
            if not number.isdigit():
                raise Refused('syntax error')
            self.tracker = f'{word} {int(number) & 0xFFFFFFFF}'
        elif word == 'flags':
            word = self.word()
            self.flags = word if word == 'any' else '/'.join(
                ''.join(sorted(part, key='FSRPAUEW'.find)) for part in word.split('/'))
        elif word in ('keep', 'no', 'modulate', 'synproxy', 'sloppy'):
            self.need('state')
            self.state = f'{word} state'
            if self.take('('):
                self.state += f' ({self.limits()})'
        elif word in ('icmp-type', 'icmp6-type'):
            self.kinds = [f'{word} {kind}' for kind in self.many(self.word)]
        elif word in ('tos', 'dscp'):
            self.before_state.append(f'tos {TOS.get(self.peek(), self.peek())}')
            self.next()
        elif word == 'prio':
            self.before_state.append(f'prio {self.word()}')
        elif word == 'set':
            self.need('prio')
            self.before_state.append(f'set ( prio {self.word()} )')
        elif word == 'allow-opts':
            self.extra.append(word)
        elif word == 'schedule':
            self.next()
        elif word in ('tag', 'tagged', '!'):
            self.tags.append(word)
            if word == '!':
                self.need('tagged')
                self.tags.append('tagged')
            self.tags.append(self.next().lstrip('"'))
        else:
            raise Refused('syntax error')

    def limits(self):
        """What stands between the parentheses of a state option, with one space between words."""
        found = []
        while not self.take(')'):
            word = self.next()
            if word == '<':
                word = f'<{self.word()}>'
                self.need('>')
            found.append(word)
        return ' '.join(found).replace(' ,', ',')

    def expand(self):
        """One rule of the kernel's for each combination that makes sense."""
        shown = []
        for interface in self.interfaces:
            for protocol, kind in ((protocol, kind) for protocol in self.protocols for kind in self.kinds):
                for source, source_family in self.source[0]:
                    for destination, family in self.destination[0]:
                        families = {one for one in (self.family, source_family, family) if one}
                        if len(families) > 1:
                            continue
                        for source_port in self.source[1]:
                            for port in self.destination[1]:
                                hosts = self.show_hosts(protocol, source, source_port, destination, port)
                                values = {'$srcaddr': source, '$dstaddr': destination, '$dstport': port,
                                          '$if': interface, '$proto': protocol}
                                shown.append(self.show(interface, protocol, *families or [''], f'{hosts} {kind}'.strip(),
                                                       values))
        if not shown:
            raise Refused('rule expands to no valid combination')
        return shown

    def show_hosts(self, protocol, source, source_port, destination, port):
        if (source_port or port) and protocol not in ('tcp', 'udp', 'sctp'):
            raise Refused('port only applies to tcp/udp/sctp')
        if source == destination == 'any' and not source_port and not port and not self.system:
            return 'all'
        return ' '.join(filter(None, ('from', source, source_port and f'port {source_port}', self.system.strip(), 'to',
                                      destination, port and f'port {port}')))

    def show(self, interface, protocol, family, hosts, values):
        state, flags = self.state, self.flags
        if self.action == 'pass':
            state = state or 'keep state'
            flags = flags or ('S/SA' if protocol in ('tcp', '') and state != 'no state' else '')
        names = [self.expand_label(text, values) for text in self.labels]
        return ' '.join(filter(None, (
            self.action, self.how if self.action == 'block' else '', self.direction, self.log, self.quick,
            interface and f'on {interface}', self.routing, family,
            protocol and f'proto {protocol}', hosts, flags and f'flags {flags}', *self.before_state, state, *self.extra,
            *(f'label "{name}"' for name in names), self.tracker, *self.tags)))

    @staticmethod
    def expand_label(text, values):
        if '$' not in text:
            return text
        for name, value in values.items():
            text = text.replace(name, value)
        if len(text) > LABEL_ROOM:
            raise Refused('expand_label: label too long')
        return text


class Translation(Rule):
    """A line `rdr`, `binat` or `nat`, or one of them with `no` before it."""

    def head(self):
        if self.action == 'no':
            self.action = f'no {self.word()}'
        self.quick = self.take('pass')
        self.target = ''
        if self.take('on'):
            self.interfaces = [one for found in self.many(lambda: self.many(self.word)) for one in found]
        self.ends_family()

    def option(self, word):
        if word == '-':
            self.need('>')
            text, _ = self.host()
            self.target = f'-> {text}'
            if self.take('port'):
                self.target += f' port {self.word()}'
            if text[0] == '<':
                self.target += ' round-robin'
        elif word == 'tag':
            self.tags = ['tag', self.word()]
        else:
            raise Refused('syntax error')

    def show(self, interface, protocol, family, hosts, values):
        return ' '.join(filter(None, (self.action, self.quick, interface and f'on {interface}', family,
                                      protocol and f'proto {protocol}', hosts, *self.tags, self.target)))


def read_table(words):
    """(name, its entries or the name of the file that has them) of a line `table <name> [persist] [file "..." | {...}]`."""
    name, rest = words[2], words[4:]
    if 'file' in rest:
        return name, rest[rest.index('file') + 1][1:]
    inside = rest[rest.index('{') + 1:rest.index('}')] if '{' in rest else []
    entries = ' '.join(word for word in inside if word != ',').replace('! ', '!').split()
    for entry in entries:
        if family_of(entry.lstrip('!')) is None:
            raise Refused(f'no IP address found for {entry}')
    return name, entries


def compile_rules(text, name='/tmp/rules.debug'):
    """What pf makes of the text. With a complaint it loads nothing at all."""
    macros, made = {}, Compiled()
    for count, line in logical_lines(text):
        try:
            words = list(tokens(line, macros))
            if not words or words[0] in ('set', 'scrub'):
                continue
            if words[0] == 'table':
                table, entries = read_table(words)
                made.tables[table] = entries
            elif words[0] == 'anchor':
                made.rules.append(f'anchor "{words[1][1:]}" all')
            elif words[0] in ('nat-anchor', 'rdr-anchor'):
                made.translations.append(f'{words[0]} "{words[1][1:]}" all')
            elif len(words) == 3 and words[1] == '=' and words[2][0] == '"':
                macros[words[0]] = words[2][1:]
            elif words[0] in ('pass', 'block', 'match'):
                made.rules.extend(Rule(words).expand())
            elif words[0] in ('rdr', 'nat', 'binat', 'no'):
                made.translations.extend(Translation(words).expand())
            else:
                raise Refused('syntax error')
        except Refused as problem:
            made.complaints.append(f'{name}:{count}: {problem}')
    # pfctl shows nat, then rdr, then binat.
    made.translations.sort(key=lambda line: ('nat', 'rdr', 'binat').index(line.replace('no ', '').split('-')[0].split()[0]))
    return made
