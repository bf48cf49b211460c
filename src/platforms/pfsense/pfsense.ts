import { parseAddress } from '../../core/address.js';
import type { Problem } from '../../core/errors.js';
import type { Flow, Protocol } from '../../core/flow.js';
import type { Platform } from '../platform.js';
import { pfsenseDoctor, type PfsenseFacts } from './pfsense-doctor.js';

/** The protocols whose rules have a port; with any other protocol, pfSense drops it. */
const protocolsWithPorts: readonly Protocol[] = ['tcp', 'udp', 'tcp/udp'];

export const pfsense: Platform<PfsenseFacts> = {
  role: 'pfsense',
  // Set here, because searching for it costs another connection. It differs by pfSense version (docs/pfsense.md).
  vars: { ansible_python_interpreter: '/usr/local/bin/python3.11' },
  // pf cuts a label at 63 bytes, eleven of which are pfSense's own prefix "USER_RULE: ".
  maxDescription: 52,
  problemsOf: (flow) => [...findFamilyProblems(flow), ...findPortProblems(flow)],
  causes: { load_refused: 'pf refused', load_unproven: 'not proven in pf', pf_disabled: 'pf is disabled' },
  doctor: pfsenseDoctor,
};

function findFamilyProblems({ ipprotocol, source, destination }: Flow): Problem[] {
  return Object.entries({ source, destination })
    .filter(([, text]) => isOfOtherFamily(text, ipprotocol))
    .map(([path, text]) => ({ path, message: `${text} is not an ${ipprotocol} address: pfSense would load no rule` }));
}

function isOfOtherFamily(text: string, family: Flow['ipprotocol']): boolean {
  const parsed = parseAddress(text);
  return parsed.ok && parsed.address.family !== family;
}

function findPortProblems({ protocol, port }: Flow): Problem[] {
  if (port === '' || protocolsWithPorts.includes(protocol)) return [];
  return [
    { path: 'port', message: `${protocol} has no ports: pfSense would ignore port ${port} and block all traffic` },
  ];
}
