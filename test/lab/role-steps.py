"""Runs the pfSense role's comparison and edit without a playbook: its own tasks, templated by Ansible, and its own modules.

A property test has hundreds of cases, and a playbook takes a second. Requests come on stdin and answers go to stdout,
one JSON object per line: {file, php, present, absent, fix} gives what was planned and done, and how the file compares.
There is no pf here: to the role, no rule is loaded yet.
"""
import contextlib
import copy
import importlib.util
import io
import json
import os
import re
import sys

import ansible.module_utils
import ansible.module_utils.basic as basic
from ansible.modules import lineinfile, replace
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig

PLAYBOOKS = sys.argv[1]
ROLE = f'{PLAYBOOKS}/roles/pfsense'
CORE = f'{PLAYBOOKS}/collections/ansible_collections/firebreak/core/plugins'
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pfsense'))
ansible.module_utils.__path__.append(f'{ROLE}/module_utils')
from config import Fatal, Malformed, dump, parse  # noqa: E402

BAND = range(2000000000, 2147483648)
MODULES = {'lineinfile': lineinfile, 'replace': replace}
IN_DATA = ('data', 'filter_start', 'root_end', 'rules', 'own', 'uniform')  # as the offsets count, or what is compared apart
OMIT = '__omitted_by_the_task__'


def load_code(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(os.path.dirname(path)), path)
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return code


with contextlib.suppress(ImportError):  # before 2.15 there is nothing to start
    from ansible.plugins.loader import init_plugin_loader
    init_plugin_loader()
AnsibleCollectionConfig.playbook_paths = [PLAYBOOKS]  # as ansible-playbook finds our collection
loader = DataLoader()
filter_loader.add_directory(f'{ROLE}/filter_plugins')
action = load_code(f'{ROLE}/action_plugins/pfsense_probe.py')
trackers_filter = load_code(f'{ROLE}/filter_plugins/pfsense_trackers.py')
edit_action = load_code(f'{CORE}/action/edit.py')
library = load_code(f'{ROLE}/library/pfsense_probe.py')
library.list_enforced_rules = lambda _pfctl: ''


def load_yaml(path):
    try:
        return loader.load_from_file(path, trusted_as_template=True)  # from 2.19 on
    except TypeError:
        return loader.load_from_file(path)


defaults = {**load_yaml(f'{ROLE}/defaults/main.yml'), **load_yaml(f'{ROLE}/vars/main.yml')}
(task,) = (each for each in load_yaml(f'{ROLE}/tasks/apply.yml')[0]['block'] if 'firebreak.core.edit' in each)


def compare_parsers(data, trackers):
    """Fails unless the parser that takes Firebreak's own rules out first finds what the one that reads all finds."""
    whole = library.parse_config(data, '')
    quick = library.parse_config(data, '', trackers)
    places = [library.find_place(each) for each in (whole, quick)]
    rest = [{key: value for key, value in vars(each).items() if key not in IN_DATA} for each in (whole, quick)]
    found = [{tracker: sorted(map(repr, each.rules.get(tracker, []))) for tracker in trackers} for each in (whole, quick)]
    if places[0] != places[1] or found[0] != found[1] or rest[0] != rest[1]:
        raise ValueError('the quick parser differs: %r' % ((places, found, rest),))


def compare_patterns(data, trackers):
    """Fails unless the pattern for rules in our own form takes the same out as the one for any form."""
    patterns = [trackers_filter.rules_pattern(trackers, is_uniform) for is_uniform in (True, False)]
    texts = [re.sub(pattern, '', data.decode(), flags=re.MULTILINE) for pattern in patterns]
    if texts[0] != texts[1]:
        raise ValueError('the patterns for %r differ' % trackers)


def plan(request):
    present, absent = ({flow['tracker']: flow for flow in map(action.flows.canonical_flow, request[name])}
                       for name in ('present', 'absent'))
    with open(request['file'], 'rb') as file:
        data = file.read()
    compare_parsers(data, {*present, *absent})
    found = library.probe({'config': request['file'], 'pfctl': '', 'ifconfig': '', 'fix': request['fix'],
                           'rule_place': 'interface',
                           'present': list(present.values()), 'absent': list(absent.values())})
    checked = action.answers.read_answer(found, action.shape_of(present, absent), ())
    if checked.get('failed') or not action.is_whole(checked, present):
        raise ValueError('the probe\'s own answer is refused: %r' % found)
    planned = {**checked, **action.plan(checked, present, absent)}
    if planned['uniform'] and planned['remove']:
        compare_patterns(data, planned['remove'])
    return planned


def template(templar, value):
    try:
        return templar.template(value)
    except Exception as error:  # from 2.19 on an omitted value is an exception, of a private class
        if 'Omit' in type(error).__name__:
            return OMIT
        raise


def run_module(name, arguments, variables):
    folder = os.path.dirname(variables['pfsense_config'])
    internal = {'_ansible_tmpdir': folder, '_ansible_remote_tmp': folder, '_ansible_check_mode': False}
    basic._ANSIBLE_ARGS = json.dumps({'ANSIBLE_MODULE_ARGS': {**arguments, **internal}}, default=str).encode()
    basic._ANSIBLE_PROFILE = 'legacy'
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        MODULES[name].main()
    return json.loads(printed.getvalue())


def edit(request):
    """(what was planned, the message of a module that failed, whether a module says that it changed something)"""
    planned = plan(request)
    variables = {**defaults, 'pfsense_config': request['file'], 'pfsense_php': request['php'], 'omit': OMIT,
                 'ansible_search_path': [ROLE], 'pfsense_probe': planned}
    templar = Templar(loader=loader, variables=variables)
    changed = False
    for name, (_, needed) in edit_action.MODULES.items():
        arguments = {key: template(templar, value) for key, value in task['firebreak.core.edit'][name].items()}
        if not arguments[needed]:
            continue
        result = run_module(name, {key: value for key, value in arguments.items() if value != OMIT}, variables)
        if result.get('failed'):
            return planned, result['msg'], changed
        changed = changed or result['changed']
    return planned, None, changed


def without_ours(tree):
    """All but the rules in our band, however an empty filter is written."""
    rest = copy.deepcopy(tree)
    found = rest.pop('filter', None)
    if isinstance(found, dict):
        found['rule'] = [rule for rule in found.pop('rule', []) if tracker_of(rule) not in BAND]
        rest['filter'] = {key: value for key, value in found.items() if value}
    return {key: value for key, value in rest.items() if key != 'filter' or value}


def tracker_of(rule):
    text = rule.get('tracker') if isinstance(rule, dict) else None
    return int(text) if text and text.strip().isdigit() else 0


def ours(tree):
    found = tree.get('filter')
    rules = found.get('rule', []) if isinstance(found, dict) else []
    return [rule for rule in rules if tracker_of(rule) in BAND]


def compare(before, after, version):
    """How the file is, as pfSense reads it, against how it was."""
    try:
        old, new = parse(before), parse(after)
    except (Malformed, Fatal) as problem:
        return {'unreadable': str(problem)}
    saved = dump(new, version).encode()
    read_again, saved_before = parse(saved), parse(dump(old, version).encode())
    return {
        'restIsSame': without_ours(old) == without_ours(new),
        # A save loses empty items of lists, as it would have before.
        'saveKeepsAll': ours(read_again) == ours(new) and without_ours(read_again) == without_ours(saved_before),
        'wasAsSaved': dump(old, version).encode() == before,
        'isAsSaved': saved == after,
        'ours': ours(new),
    }


def answer(request):
    def read():
        with open(request['file'], 'rb') as file:
            return file.read()
    before = read()
    try:
        planned, failed, changed = edit(request)
    except library.Refusal as refusal:
        return {'refused': refusal.code, 'same': read() == before, 'left': left_beside(request['file'])}
    after = read()
    return {
        'failed': failed, 'changed': changed, 'same': after == before, 'left': left_beside(request['file']),
        **{key: planned[key] for key in ('missing', 'correct', 'rewrite', 'changed_by_hand', 'stale')},
        **compare(before, after, request['version']),
    }


def left_beside(path):
    return [name for name in os.listdir(os.path.dirname(path)) if name != os.path.basename(path)]


print('{}', flush=True)  # ready
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
