import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from './package-root.js';
import { findPython } from './stand-ins.js';

/** Reads configurations as the role does on the firewall: [config.xml, what ifconfig prints, flows] each. */
const script = `
import json, sys
playbooks = sys.argv[1]
sys.path.insert(0, playbooks + '/collections')
for name in ('ansible', 'ansible.module_utils'):
    sys.modules[name] = type(sys)(name)
sys.modules['ansible.module_utils'].__path__ = [playbooks + '/roles/pfsense/module_utils']
import ansible.module_utils.pfsense_config as config
import ansible.module_utils.pfsense_forwards as forwards
import ansible.module_utils.pfsense_paths as paths
from ansible_collections.firebreak.core.plugins.module_utils.addresses import find_addresses, parse_nics
def where(found, flow):
    inside = found.follow(flow)
    if inside is None:
        return found.find_problem(flow)
    public = {'destination': flow['destination'], 'port': flow['port']}
    again = 'found again' if public in found.list_publics(inside) else 'lost'
    return '%s, %s' % (forwards.show(inside), again)
answers = []
for text, ifconfig, flows in json.load(sys.stdin):
    read = config.parse_config(text.encode(), 'config.xml')
    nics = {} if ifconfig is None else parse_nics(ifconfig)
    found = paths.Paths(read, nics)
    answers.append({
        'keys': sorted(key for key, is_enabled in read.interfaces.items() if is_enabled),
        'addresses': find_addresses(read.addresses, nics),
        'networks': ['%(interface)s %(network)s' % each for each in found.list_networks()],
        'problems': [found.find_problem(flow) for flow in flows],
        'forwards': [where(forwards.Forwards(read, found), flow) for flow in flows],
    })
json.dump(answers, sys.stdout)
`;

export interface PathsAnswer {
  keys: string[];
  addresses: string[];
  networks: string[];
  /** Why the packets of each flow do not meet its rule. */
  problems: (string | null)[];
  /** Where each flow is forwarded to, and whether it is found again from there; or why it is not followed. */
  forwards: (string | null)[];
}

export interface PathsQuestion {
  config: string;
  /** What ifconfig prints; without it, ifconfig cannot be run. */
  ifconfig?: string;
  /** `source destination interface`, and where it matters `protocol port` */
  flows?: readonly string[];
}

/** All questions in one process. */
export function askPaths(questions: readonly PathsQuestion[]): PathsAnswer[] {
  const asked = questions.map(({ config, ifconfig, flows = [] }) => [
    `<pfsense>${config}</pfsense>`,
    ifconfig ?? null,
    flows.map((each) => {
      const [source = '', destination, name, protocol = 'tcp', port = ''] = each.split(' ');
      const ipprotocol = source.includes(':') ? 'inet6' : 'inet';
      return { source, destination, interface: name, ipprotocol, protocol, port };
    }),
  ]);
  const playbooks = path.join(packageRoot, 'playbooks');
  const options = { input: JSON.stringify(asked), encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(findPython(), ['-B', '-c', script, playbooks], options)) as PathsAnswer[]; // the script's own
}
