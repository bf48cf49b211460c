"""A person at pfSense's web pages: each request reads the configuration, thinks, and saves what it had read.

    gui [--think SECONDS] [--apply] save | edit-rule TRACKER --descr TEXT | move-rule TRACKER --to N
        | add-rule --NAME VALUE ... | disable-rule TRACKER | delete-rule TRACKER
        | easyrule --interface KEY --source ADDRESS
    gui begin; gui commit ...        the read and the write of one such request, as two steps
"""
import marshal
import time

from lab import die, now, remove
from reload import filter_configure, read_or_die
from store import write_config


def rules_of(tree):
    found = tree.get('filter')
    if not isinstance(found, dict):
        found = tree['filter'] = {}
    return found.setdefault('rule', [])


def find(tree, tracker):
    for rule in rules_of(tree):
        if isinstance(rule, dict) and rule.get('tracker') == tracker:
            return rule
    die(f'no rule {tracker}\n', 1)


def stamp():
    return {'time': str(now()), 'username': 'admin@192.168.1.20 (Local Database)'}


def rebuild(rule, descr):
    """The form knows its fields only: what else stood in the rule is gone after an edit."""
    kept = ('id', 'tracker', 'type', 'interface', 'ipprotocol', 'tcpflags_any', 'tag', 'tagged', 'max', 'max-src-nodes', 'max-src-conn',
            'max-src-states', 'statetimeout', 'statetype', 'os', 'disabled', 'log', 'protocol', 'source', 'destination',
            'floating', 'direction', 'quick', 'associated-rule-id', 'created')
    new = {'id': '', **{name: rule[name] for name in kept if name in rule}}
    for name in ('tag', 'tagged', 'max', 'max-src-nodes', 'max-src-conn', 'max-src-states', 'statetimeout', 'os'):
        new.setdefault(name, '')
    new['statetype'] = new.get('statetype') or 'keep state'
    new['descr'] = descr
    new['updated'] = stamp()
    return new


def add(tree, wanted):
    def side(name):
        if f'{name}-network' in wanted:
            return {'network': wanted[f'{name}-network']}
        place = {'address': wanted[name]} if name in wanted else {'any': ''}
        return {**place, 'port': wanted['port']} if name == 'destination' and 'port' in wanted else place
    rule = {'id': '', 'tracker': wanted.get('tracker') or str(now()), 'type': wanted.get('type', 'pass'),
            'interface': wanted.get('interface', 'wan'), 'ipprotocol': wanted.get('ipprotocol', 'inet')}
    if 'protocol' in wanted:
        rule['protocol'] = wanted['protocol']
    rule.update(source=side('source'), destination=side('destination'), descr=wanted.get('descr', ''),
                created=stamp(), updated=stamp())
    rules_of(tree).append(rule)


def tab_of(rule):
    """The tab of the rules page: separators lie under its name in lower case."""
    return 'floatingrules' if 'floating' in rule else rule.get('interface', '').lower()


def shift_separators(tree, tab, first, step):
    """Row N is drawn before the N-th rule of its tab, disabled ones counted."""
    separators = tree['filter'].get('separator')
    found = separators.get(tab) if isinstance(separators, dict) else None
    for one in found.values() if isinstance(found, dict) else ():
        number = int(one['row'][0][2:])  # an element that may occur more than once
        if number >= first:
            one['row'] = [f'fr{number + step}']


def easyrule(lab, tree, wanted):
    """Blocks a source: the rule is the first of its tab, or of the file, and the separators of the tab move with it."""
    key = wanted['interface']
    rules = rules_of(tree)
    groups = [one.get('ifname') for one in (tree.get('ifgroups') or {}).get('ifgroupentry') or []]
    # 2.7.2 compares a group's name with its lower case, finds no rule of it, and goes to the top.
    own = [] if lab.version in ('2.4.5', '2.6.0') or (lab.version == '2.7.2' and key in groups and key != key.lower()) else [
        place for place, rule in enumerate(rules) if rule.get('interface') == key and 'floating' not in rule]
    rules.insert(own[0] if own else 0, {
        'tracker': str(now()), 'type': 'block', 'interface': key, 'ipprotocol': 'inet',
        'source': {'address': wanted['source']}, 'destination': {'any': ''},
        'descr': 'Easy Rule: Blocked from Firewall Log View', 'created': {**stamp(), 'username': 'EasyRule'}})
    shift_separators(tree, key.lower(), 0, 1)


def delete(tree, rule):
    tab, rules = tab_of(rule), rules_of(tree)
    index = [id(one) for one in rules if tab_of(one) == tab].index(id(rule))
    rules.remove(rule)
    shift_separators(tree, tab, index + 1, -1)


def change(lab, tree, arguments):
    """Does what the page would do to the configuration in memory, and names it for the history."""
    action, *rest = arguments or ['save']
    tracker = rest.pop(0) if rest and not rest[0].startswith('--') else ''
    wanted = {name[2:]: value for name, value in zip(rest[::2], rest[1::2])}
    if action == 'add-rule':
        add(tree, wanted)
    elif action == 'easyrule':
        easyrule(lab, tree, wanted)
    elif action != 'save':
        rule = find(tree, tracker)
        rules = rules_of(tree)
        place = rules.index(rule)
        if action == 'edit-rule':
            rules[place] = rebuild(rule, wanted.get('descr', rule.get('descr', '')))
        elif action == 'move-rule':
            rules.insert(int(wanted['to']), rules.pop(place))
        elif action == 'disable-rule':
            rule['disabled'] = ''
        elif action == 'delete-rule':
            delete(tree, rule)
        else:
            die(f'{__doc__}\n', 64)
    return {'save': 'System: changes saved.'}.get(action, f'Firewall: Rules - {action} {tracker}')


def gui(lab, arguments):
    think, apply = 0.0, False
    while arguments[:1] in (['--think'], ['--apply']):
        if arguments[0] == '--think':
            think = float(arguments[1])
            arguments = arguments[2:]
        else:
            apply = True
            arguments = arguments[1:]
    if arguments[:1] == ['commit']:
        with open(lab.session, 'rb') as file:
            tree = marshal.load(file)
        remove(lab.session)
        arguments = arguments[1:]
    else:
        tree = read_or_die(lab)
    if arguments[:1] == ['begin']:
        with open(lab.session, 'wb') as file:
            marshal.dump(tree, file)
        return
    time.sleep(think)
    write_config(lab, tree, change(lab, tree, arguments))
    if apply:
        filter_configure(lab, [])
