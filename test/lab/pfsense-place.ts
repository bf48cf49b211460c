import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from './package-root.js';
import { findPython } from './stand-ins.js';

/** Chooses places as the role does on the firewall, from texts in the place of what pfctl and ifconfig print. */
const script = `
import json, sys, time
playbooks = sys.argv[1]
sys.path.insert(0, playbooks + '/collections')
for name in ('ansible', 'ansible.module_utils'):
    sys.modules[name] = type(sys)(name)
sys.modules['ansible.module_utils'].__path__ = [playbooks + '/roles/pfsense/module_utils']
import ansible.module_utils.pfsense_config as config
import ansible.module_utils.pfsense_place as place
from ansible_collections.firebreak.core.plugins.module_utils import pf_decision, pf_proof
answers = []
for text, rules, translations, ifconfig, flow in json.load(sys.stdin):
    asked = []
    class FromTexts(place.Loaded):
        def __init__(self, pfctl, ifconfig_command, rules, flows, are_new):
            asked.append(1)
            self.deadline = time.time() + 60
            self.rule_set, self.rules, self.groups = None, [], pf_proof.members_of_groups(ifconfig)
            if translations is not None:
                self.rule_set = pf_decision.read_rule_set(rules, translations, ifconfig, lambda name, address: None)
                self.rules = self.rule_set.rules
    place.Loaded, kept = FromTexts, place.Loaded
    read = config.parse_config(text.encode(), 'config.xml')
    flows = [dict(flow, card=config.find_card(read, flow['interface']))]
    found = place.list_misplaced(read, flows, {'pfctl': '', 'ifconfig': ''}, rules)
    place.Loaded = kept
    answers.append('floating' if found else 'interface' if asked else 'interface, not asked')
json.dump(answers, sys.stdout)
`;

export interface PlaceQuestion {
  config: string;
  /** What `pfctl -vvsr` lists; null: nothing that can be read. */
  rules: string | null;
  /** What `pfctl -sn` lists; null: nothing that can be read. */
  translations: string | null;
  ifconfig: string;
  flow: Readonly<Record<string, string | number>>;
}

/** All questions in one process: `floating`, `interface`, or `interface, not asked` where pf is not asked. */
export function choosePlaces(questions: readonly PlaceQuestion[]): string[] {
  const asked = questions.map(({ config, rules, translations, ifconfig, flow }) => [
    `<pfsense>${config}</pfsense>`,
    ...[rules, translations, ifconfig, flow],
  ]);
  const options = { input: JSON.stringify(asked), encoding: 'utf8' } as const;
  const playbooks = path.join(packageRoot, 'playbooks');
  return JSON.parse(execFileSync(findPython(), ['-B', '-c', script, playbooks], options)) as string[]; // the script's own
}
