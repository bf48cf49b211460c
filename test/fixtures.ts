import { configSchema, type Config } from '#firebreak/config/schema.js';
import { newBlock, type Block } from '#firebreak/core/block.js';
import type { Flow } from '#firebreak/core/flow.js';
import type { NewAlarm, BlockRequest } from '#firebreak/ledger/ledger.js';

/** TCP from an attacker on the Internet to port 22 of an inside host. */
export const aFlow = (changes: Partial<Flow> = {}): Flow => ({
  type: 'block',
  interface: 'wan',
  ipprotocol: 'inet',
  protocol: 'tcp',
  source: '203.0.113.7',
  destination: '192.168.1.10',
  port: '22',
  ...changes,
});

/** A block of that flow on the firewall `edge`, requested at 0 and not applied yet. */
export const aBlock = ({ flow = aFlow(), ...changes }: Partial<Block> = {}): Block => ({
  ...newBlock({ id: '01BLOCK', firewall: 'edge', flow, tracker: 2_000_000_001, description: 'a test' }, 0),
  ...changes,
});

/** The same in force and proven, by its first run. */
export const anActiveBlock = (changes: Partial<Block> = {}): Block =>
  aBlock({ state: 'active', claimedRevision: 1, doneRevision: 1, changed: true, dueAt: null, provenAt: 0, ...changes });

/** A configuration of the firewall `edge`, with every default. */
export const aConfig = (settings: object = {}): Config =>
  configSchema.parse({ firewalls: { edge: { host: '192.0.2.1' } }, ...settings });

/** An alarm that requests one block on `edge`, without an end. */
export const anAlarm = (id = 'A', block: Partial<BlockRequest> = {}): NewAlarm => ({
  id,
  origin: 'a test',
  context: {},
  blocks: [{ firewall: 'edge', flow: aFlow(), description: 'a test', durationMs: null, ...block }],
});
