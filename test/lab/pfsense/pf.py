"""Whether pf takes a ruleset, and how `pfctl -sr` shows it afterwards: all of it or nothing."""
from addresses import NAMES, SERVICES, family_of

PROTOCOLS = {'tcp': 'tcp', 'udp': 'udp', 'icmp': 'icmp', 'ipv6-icmp': 'ipv6-icmp', 'esp': 'esp', 'gre': 'gre',
             'sctp': 'sctp', 'igmp': 'igmp', 'ah': 'ah', '41': 'ipv6'}
PUNCTUATION = '{}(),<>!='
LABEL_ROOM = 63


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
        self.direction = self.log = self.quick = self.reply = self.family = self.flags = self.state = ''
        self.labels, self.extra, self.tracker = [], [], ''
        self.interfaces, self.protocols = [''], ['']
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
        if self.take('reply-to'):
            self.need('(')
            self.reply = f'({self.word()} {self.word()})'
            self.need(')')
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
        self.take('=')
        low, _, high = self.word().partition(':')
        for one in (low, high):
            if one and not one.isdigit() and one not in SERVICES:
                raise Refused(f'unknown port {one}')
            if one.isdigit() and int(one) > 65535:
                raise Refused(f'illegal port value {one}')
        shown = str(NAMES.get(int(low), low)) if low.isdigit() else low
        return f'{low}:{high}' if high else f'= {shown}'

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
            self.flags = self.word()
        elif word in ('keep', 'no', 'modulate', 'synproxy', 'sloppy'):
            self.need('state')
            self.state = f'{word} state'
        elif word == 'allow-opts':
            self.extra.append(word)
        else:
            raise Refused('syntax error')

    def expand(self):
        """One rule of the kernel's for each combination that makes sense."""
        shown = []
        for interface in self.interfaces:
            for protocol in self.protocols:
                for source, source_family in self.source[0]:
                    for destination, family in self.destination[0]:
                        families = {one for one in (self.family, source_family, family) if one}
                        if len(families) > 1:
                            continue
                        for source_port in self.source[1]:
                            for port in self.destination[1]:
                                shown.append(self.show(interface, protocol, *families or [''], source, source_port,
                                                       destination, port))
        if not shown:
            raise Refused('rule expands to no valid combination')
        return shown

    def show(self, interface, protocol, family, source, source_port, destination, port):
        if (source_port or port) and protocol not in ('tcp', 'udp', 'sctp'):
            raise Refused('port only applies to tcp/udp/sctp')
        both_any = source == destination == 'any' and not source_port and not port
        hosts = 'all' if both_any else ' '.join(filter(None, (
            'from', source, source_port and f'port {source_port}', 'to', destination, port and f'port {port}')))
        state, flags = self.state, self.flags
        if self.action == 'pass':
            state = state or 'keep state'
            flags = flags or ('S/SA' if protocol in ('tcp', '') and state != 'no state' else '')
        names = [self.expand_label(text, interface, protocol, source, destination, port) for text in self.labels]
        return ' '.join(filter(None, (
            self.action, self.how if self.action == 'block' else '', self.direction, self.log, self.quick,
            interface and f'on {interface}', self.reply and f'reply-to {self.reply}', family,
            protocol and f'proto {protocol}', hosts, flags and f'flags {flags}', state, *self.extra,
            *(f'label "{name}"' for name in names), self.tracker)))

    @staticmethod
    def expand_label(text, interface, protocol, source, destination, port):
        if '$' not in text:
            return text
        for name, value in (('$srcaddr', source), ('$dstaddr', destination), ('$dstport', port), ('$if', interface),
                            ('$proto', protocol)):
            text = text.replace(name, value)
        if len(text) > LABEL_ROOM:
            raise Refused('expand_label: label too long')
        return text


def compile_rules(text, name='/tmp/rules.debug'):
    """(rules as pfctl shows them, complaints). With a complaint pf loads nothing at all."""
    macros, rules, complaints = {}, [], []
    for count, line in logical_lines(text):
        try:
            words = list(tokens(line, macros))
            if not words or words[0] in ('table', 'anchor', 'set', 'scrub'):
                continue
            if len(words) == 3 and words[1] == '=' and words[2][0] == '"':
                macros[words[0]] = words[2][1:]
            elif words[0] in ('pass', 'block', 'match'):
                rules.extend(Rule(words).expand())
            else:
                raise Refused('syntax error')
        except Refused as problem:
            complaints.append(f'{name}:{count}: {problem}')
    return rules, complaints
