import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import { formatSpan } from '../../core/duration.js';
import { causeOf, type Incident } from '../../core/incident.js';
import { blockToJson } from '../../views/json.js';

/** What a webhook's template is given. Every key is there in every kind, so that a template need not ask. */
export interface WebhookEvent {
  kind: 'failure' | 'recovery' | 'held' | 'drift';
  /** UTC. */
  at: string;
  host: string;
  /** Null where it is about all of them. */
  firewall: string | null;
  /** One line that tells all. */
  title: string;
  /** The same with whom it is about, and what to type. */
  text: string;
  /** What a person would type next. */
  command: string;
  /** What it told before is over. */
  isOver: boolean;
  causes: { cause: string; since: string }[];
  /** How many blocks or differences it is about, and how many alarms asked for them. */
  count: number;
  alarms: number;
  /** The first of them, as `list --json` shows them; `more` are left out. */
  blocks: object[];
  more: number;
  sources: { address: string; blocks: number }[];
  destinations: { address: string; blocks: number }[];
}

interface Where {
  host: string;
  firewall: string;
  now: number;
}

const mostListed = 20;
const mostTop = 5;

const count = (many: number, thing: string): string => `${many} ${thing}${many === 1 ? '' : 's'}`;
const toTime = (ms: number): string => new Date(ms).toISOString();

const about = ({ host, firewall, now }: Where) => ({
  at: toTime(now),
  host,
  firewall,
  isOver: false,
  causes: [],
  alarms: 0,
  blocks: [],
  more: 0,
  sources: [],
  destinations: [],
});

const toText = (lines: readonly string[], command: string): string =>
  [...lines.filter((line) => line !== ''), `To do: ${command}`].join('\n');

/** Blocks that are not as they are wanted, and why. */
export function failureEvent(
  where: Where,
  causes: readonly { cause: string; beganAt: number }[],
  failing: readonly Block[],
): WebhookEvent {
  const lack = failing.every(({ wanted }) => wanted === 'absent') ? 'NOT released' : 'NOT in force';
  const names = causes.map(({ cause }) => cause.replaceAll('_', ' ')).join(', ');
  const title = `${where.firewall}: ${count(failing.length, 'block')} ${lack}: ${names}`;
  const isGivenUp = failing.every((block) => causeOf(block) === 'given_up');
  const command = isGivenUp ? 'firebreak retry --all' : `firebreak list --firewall ${where.firewall}`;
  const listed = failing.slice(0, mostListed);
  const reasons = [...new Set(failing.map(({ reason }) => reason ?? 'unknown'))].slice(0, 3);
  const flows = listed.slice(0, mostTop).map(({ flow }) => describeFlow(flow));
  const rest = failing.length - flows.length;
  const next = isGivenUp ? 'Given up.' : 'Kept, and tried again.';
  return {
    ...about(where),
    kind: 'failure',
    title,
    text: toText([...reasons, ...flows, rest > 0 ? `and ${rest} more` : '', next], command),
    command,
    causes: causes.map(({ cause, beganAt }) => ({ cause, since: toTime(beganAt) })),
    count: failing.length,
    alarms: failing.reduce((sum, { alarms }) => sum + alarms, 0),
    blocks: listed.map(blockToJson),
    more: failing.length - listed.length,
    sources: countTop(failing.map(({ flow }) => flow.source)),
    destinations: countTop(failing.map(({ flow }) => flow.destination)),
  };
}

/** What was told before is over. @param left how many blocks still fail, for another cause */
export function recoveryEvent(where: Where, over: readonly Incident[], left: number): WebhookEvent {
  const lasted = formatSpan(where.now - Math.min(...over.map(({ beganAt }) => beganAt)));
  const rest = left === 0 ? 'all is as it is wanted' : `${count(left, 'block')} still fail for another cause`;
  const command = `firebreak list --firewall ${where.firewall}`;
  const title = `${where.firewall}: over after ${lasted}: ${rest}`;
  const lines = over.map(({ cause, beganAt }) => `${cause.replaceAll('_', ' ')} since ${toTime(beganAt)}`);
  return {
    ...about(where),
    kind: 'recovery',
    title,
    text: toText(lines, command),
    command,
    isOver: left === 0,
    causes: over.map(({ cause, beganAt }) => ({ cause, since: toTime(beganAt) })),
    count: left,
  };
}

/** Where a firewall and the ledger do not agree. @param differences in words, one each */
export function driftEvent(where: Where, beganAt: number, differences: readonly string[]): WebhookEvent {
  const command = `firebreak reconcile --firewall ${where.firewall}`;
  const title = `${where.firewall}: ${count(differences.length, 'difference')} to the ledger`;
  return {
    ...about(where),
    kind: 'drift',
    title,
    text: toText(differences.slice(0, mostListed), command),
    command,
    causes: [{ cause: 'drift', since: toTime(beganAt) }],
    count: differences.length,
    more: Math.max(0, differences.length - mostListed),
  };
}

/** A firewall tells other addresses of its own than before. @param sentence says which */
export function addressesEvent(where: Where, at: number, sentence: string): WebhookEvent {
  const command = `firebreak reconcile --firewall ${where.firewall}`;
  return {
    ...about(where),
    kind: 'drift',
    title: `${where.firewall} tells other addresses of its own`,
    text: toText([sentence, 'Where nobody changed them, find out who is on it.'], command),
    command,
    causes: [{ cause: 'addresses', since: toTime(at) }],
    count: 1,
  };
}

interface Met {
  address: string;
  blocks: number;
}

/** Blocks wait for somebody to look at them, on whichever firewall. */
export function heldEvent(
  { host, now }: Omit<Where, 'firewall'>,
  storm: { held: number; sources: readonly Met[]; destinations: readonly Met[] },
): WebhookEvent {
  const [top] = storm.sources;
  const command = 'firebreak list --state held';
  const title = `HELD: ${count(storm.held, 'new block')} wait for approval`;
  const most = top === undefined ? '' : `most for ${top.address}, ${count(top.blocks, 'block')} in an hour`;
  return {
    ...about({ host, now, firewall: '' }),
    kind: 'held',
    firewall: null,
    title,
    text: toText([most, 'What is held is NOT in force.'], command),
    command,
    count: storm.held,
    sources: storm.sources.slice(0, mostTop).map(({ address, blocks }) => ({ address, blocks })),
    destinations: storm.destinations.slice(0, mostTop).map(({ address, blocks }) => ({ address, blocks })),
  };
}

function countTop(addresses: readonly string[]): Met[] {
  const counts = new Map<string, number>();
  for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
  return [...counts]
    .map(([address, blocks]) => ({ address, blocks }))
    .sort((one, other) => other.blocks - one.blocks || (one.address < other.address ? -1 : 1))
    .slice(0, mostTop);
}
