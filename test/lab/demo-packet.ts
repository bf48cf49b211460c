import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Firewall } from './firewall.js';
import { packageRoot } from './package-root.js';
import { findPython } from './stand-ins.js';

const run = promisify(execFile);

/** A packet that enters by a network card. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly card: string;
}

/** What the role would report of a block rule with this tracker. */
export interface Decision {
  readonly level: string;
  readonly message: string;
}

/** Above all trackers of Firebreak's: a rule that drops what none before it decides. */
const lastTracker = 2147483647;

const code = `
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.firebreak.core.plugins.module_utils.pf import list_rules
from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import prove_flows
pfctl, ifconfig, flow, last = sys.argv[2:]
rules = list_rules(pfctl) + '@99999 block drop in quick all ridentifier %s\\n' % last
print(json.dumps(prove_flows(pfctl, ifconfig, rules, [json.loads(flow)])[0]))
`;

/** Decides a packet with the role's own evaluator, from what pf has loaded; without a tracker, who passes it. */
export async function decidePacket(firewall: Firewall, packet: Packet, tracker = lastTracker): Promise<Decision> {
  const flow = { ...packet, port: String(packet.port), protocol: 'tcp', ipprotocol: 'inet', tracker };
  const programs = ['sbin/pfctl', 'sbin/ifconfig'].map((name) => path.join(firewall.root, name));
  const collections = path.join(packageRoot, 'playbooks/collections');
  const args = ['-B', '-c', code, collections, ...programs, JSON.stringify(flow), String(lastTracker)];
  const { stdout } = await run(findPython(), args);
  return JSON.parse(stdout) as Decision; // the code above prints it so
}
