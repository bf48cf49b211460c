"""config.xml as pfSense's own parser reads it and as its own dump writes it, quirks included.

A value is a string (text, or "" for an empty element), a dict (children, in the order first seen) or a list (an
element that may occur more than once). That is the shape pfSense has in PHP, and the quirks follow from it.
"""
from xml.parsers import expat

# Elements that pfSense reads as a list; any other one may occur once in its parent.
LIST_TAGS = frozenset("""
    acls alias aliasurl allowedip allowedhostname authserver bridged ca cert checkipservice clone columnitem config
    container crl depends_on_package disk dnsserver dnsupdate domainoverrides dyndns earlyshellcmd element field
    gateway_group gateway_item gif gre group hosts ifgroupentry igmpentry item key lagg member menu mobilekey npt
    ntpserver onetoone openvpn-client openvpn-csc openvpn-server option package passthrumac phase1 phase2 pipe pool ppp
    pppoe priv proxyarpnet qinqentry queue radnsserver route row rule schedule service servernat shellcmd staticmap
    subqueue tab timerange tunnel user vip vlan vlangroup winsserver wolentry
""".split())

# A name that starts with one of these is written as CDATA. The prefix match is pfSense's: "statetype" is hit by "state".
CDATA_PREFIXES = (
    'auth_pass', 'auth_prompt', 'auth_user', 'certca', 'certname', 'city', 'common_name', 'descr', 'detail', 'email',
    'encryption_password', 'ldap_attr', 'ldap_authcn', 'ldap_basedn', 'ldap_bind', 'ldap_extended_query',
    'login_banner', 'organization', 'password', 'rangedescr', 'state', 'text', 'username',
)


class Malformed(Exception):
    """The parser says no: pfSense then puts an older configuration in the file's place."""


class Fatal(Exception):
    """The parser throws: up to 2.7.2 every PHP script on the box then dies."""


def decode(text):
    """PHP's html_entity_decode: one pass, the names of HTML 4 and numbers."""
    if '&' not in text:
        return text
    from html.entities import name2codepoint
    head, *rest = text.split('&')
    out = [head]
    for piece in rest:
        name, semicolon, after = piece.partition(';')
        code = None
        if semicolon and name[:1] == '#':
            digits, base = (name[2:], 16) if name[1:2] in ('x', 'X') else (name[1:], 10)
            try:
                code = int(digits, base)
            except ValueError:
                code = None
        elif semicolon:
            code = name2codepoint.get(name)
        allowed = code is not None and (code in (9, 10, 13) or 32 <= code <= 126 or 160 <= code <= 0x10FFFF)
        out.append(chr(code) + after if allowed else '&' + piece)
    return ''.join(out)


def encode(text, version):
    """PHP's htmlentities; master writes XML's own entities and leaves letters alone."""
    if '&' in text:
        text = text.replace('&', '&amp;')
    if '<' in text or '>' in text:
        text = text.replace('<', '&lt;').replace('>', '&gt;')
    if '"' in text:
        text = text.replace('"', '&quot;')
    if "'" in text:
        text = text.replace("'", '&apos;' if version == 'master' else '&#039;')
    if version == 'master' or text.isascii():
        return text
    from html.entities import codepoint2name
    return ''.join(f'&{codepoint2name[ord(c)]};' if ord(c) > 127 and ord(c) in codepoint2name else c for c in text)


class _Reader:
    """Follows the three SAX handlers of pfSense: the same pointer into the same tree, the same `havedata` marker."""

    def __init__(self, parser):
        self.parser = parser
        self.tree = {}
        self.path = [(self.tree, None)]  # (container, key) of each open element; a list item's key is its index
        self.lists = []  # whether each open element is an item of a list
        self.have_data = 0
        self.pieces = []

    def value(self):
        container, key = self.path[-1]
        if key is None:
            return container
        if isinstance(container, list):
            return container[key] if key < len(container) else None
        return container.get(key)

    def put(self, value):
        container, key = self.path[-1]
        if isinstance(container, list) and key == len(container):
            container.append(value)
        else:
            container[key] = value

    def start(self, tag, _attributes):
        if self.pieces:
            self.flush()
        name = tag.lower()
        parent = self.value()
        if parent is None:
            parent = {}
            self.put(parent)
        elif isinstance(parent, str):
            # Text came before this child and took the place of the tree: what mixed spaces between tags do.
            raise Fatal('Cannot create references to/from string offsets')
        found = parent.get(name)
        is_list = name in LIST_TAGS
        if is_list:
            if not isinstance(found, list):
                found = parent[name] = []
            self.path.append((found, len(found)))
        else:
            if found is not None:
                line = self.parser.CurrentLineNumber
                raise Fatal(f'XML error: {tag.upper()} at line {line} cannot occur more than once')
            parent.setdefault(name, None)
            self.path.append((parent, name))
        self.lists.append(is_list)
        self.have_data = len(self.lists)

    def end(self, _tag):
        if self.pieces:
            self.flush()
        if self.have_data == len(self.lists):
            self.put('')
        self.path.pop()
        self.lists.pop()

    def text(self, data):
        self.pieces.append(data)

    def flush(self):
        """A run of white space reaches pfSense as one piece; other text in pieces, cut at line ends and entities."""
        pieces, self.pieces = self.pieces, []
        whole = ''.join(pieces)
        for piece in pieces if whole.strip() else [whole]:
            self.chunk(piece)

    def chunk(self, data):
        data = data.strip('\t\n\r')
        if not data or not self.lists:
            return
        value = self.value()
        if isinstance(value, str):
            self.put(value + decode(data))
        elif data.strip(' '):
            self.put(decode(data))
            self.have_data += 1


def parse(data, name='config.xml'):
    """The configuration below <pfsense>, from bytes. Raises Malformed or Fatal."""
    parser = expat.ParserCreate()
    parser.buffer_text = False
    reader = _Reader(parser)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    if data:
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            text = expat.ErrorString(error.code)
            raise Malformed(f'XML error: {text[:1].upper()}{text[1:]} at line {error.lineno} in {name}') from None
    root = reader.tree.get('pfsense')
    if not root:
        raise Malformed('XML error: no pfsense object found!')
    if not isinstance(root, dict):
        raise Malformed('XML error: pfsense holds text')
    return root


def _dump(tree, indent, version, out):
    tabs = '\t' * indent
    for name, value in tree.items():
        if value is None:
            continue
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, dict) and one:
                out.append(f'{tabs}<{name}>\n')
                _dump(one, indent + 1, version, out)
                out.append(f'{tabs}</{name}>\n')
            elif one:
                text = encode(one, version)
                out.append(f'{tabs}<{name}><![CDATA[{text}]]></{name}>\n' if name.startswith(CDATA_PREFIXES)
                           else f'{tabs}<{name}>{text}</{name}>\n')
            elif not isinstance(value, list):  # an empty item of a list is lost at a save
                out.append(f'{tabs}<{name}></{name}>\n')


def dump(tree, version='2.7.2'):
    """The file that a save in the GUI would write."""
    out = ['<?xml version="1.0"?>\n<pfsense>\n']
    _dump(tree, 1, version, out)
    out.append('</pfsense>\n')
    return ''.join(out)
