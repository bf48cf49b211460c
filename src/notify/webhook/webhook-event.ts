import { describeChange } from '../../core/address-change.js';
import type { Block } from '../../core/block.js';
import { describeCause } from '../../platforms/causes.js';
import { describeFlow } from '../../core/describe-flow.js';
import { formatSpan } from '../../core/duration.js';
import {
  maxListed,
  type AddressesEvent,
  type BypassedEvent,
  type DriftEvent,
  type Event,
  type ExpiryEvent,
  type FailureEvent,
  type HeldEvent,
  type RecoveryEvent,
} from '../../core/event.js';
import { causeOf, type OpenIncident } from '../../core/incident.js';
import type { TopEntry } from '../../core/stats.js';
import { describeDrift } from '../../views/drift-view.js';
import { blockToJson } from '../../views/json.js';
import { count } from '../../views/count.js';
import { warningOf } from '../../views/warning.js';
import { countTop, describeBypassed, describeRecovery, describeUnmet } from '../wording.js';

/** The data of a webhook's template. Every kind has every key, so that a template need not test for it. */
export interface WebhookEvent {
  kind: 'failure' | 'recovery' | 'held' | 'drift' | 'expiry';
  /** UTC. */
  at: string;
  host: string;
  /** Null if it is about all of them. */
  firewall: string | null;
  /** The whole event in one line. */
  title: string;
  /** The same in more lines, with the addresses and the command. */
  text: string;
  /** The command to run next. */
  command: string;
  /** Of the page that asks for a decision: whoever has it decides, once. Null for other kinds, and without the page. */
  link: string | null;
  /** Whether a reported failure is over. */
  isOver: boolean;
  causes: { cause: string; since: string }[];
  /** The number of blocks or differences, and of the alarms that requested the blocks. */
  count: number;
  alarms: number;
  /** The first blocks, as `list --json` shows them; `more` are left out. */
  blocks: object[];
  more: number;
  sources: TopAddress[];
  destinations: TopAddress[];
}

type TopAddress = Pick<TopEntry, 'address' | 'blocks'>;

const maxTop = 5;

/** @throws Error for an event that a webhook cannot subscribe to */
export function toWebhookEvent(event: Event): WebhookEvent {
  switch (event.kind) {
    case 'failure':
      return fromFailure(event);
    case 'bypassed':
      return fromBypassed(event);
    case 'recovery':
      return fromRecovery(event);
    case 'drift':
      return fromDrift(event);
    case 'addresses':
      return fromAddresses(event);
    case 'held':
      return fromHeld(event);
    case 'expiry':
      return fromExpiry(event);
    case 'success':
    case 'digest':
    case 'test':
      throw new Error(`a webhook does not accept events of kind ${event.kind}`);
  }
}

const toTime = (ms: number): string => new Date(ms).toISOString();

const basicsOf = ({ at, host }: Event, firewall: string | null) => ({
  at: toTime(at),
  host,
  firewall,
  isOver: false,
  link: null,
  causes: [],
  alarms: 0,
  blocks: [],
  more: 0,
  sources: [],
  destinations: [],
});

const toText = (lines: readonly string[], command: string): string =>
  [...lines.filter((line) => line !== ''), `To do: ${command}`].join('\n');

const toCauses = (incidents: readonly OpenIncident[]): WebhookEvent['causes'] =>
  incidents.map(({ cause, beganAt }) => ({ cause, since: toTime(beganAt) }));

const toTop = (entries: readonly TopEntry[]): TopAddress[] =>
  entries.slice(0, maxTop).map(({ address, blocks }) => ({ address, blocks }));

function fromFailure(event: FailureEvent): WebhookEvent {
  const { firewall, causes, blocks } = event;
  const names = causes.map(({ cause }) => describeCause(cause)).join(', ');
  const isGivenUp = blocks.every((block) => causeOf(block) === 'given_up');
  const command = isGivenUp ? 'firebreak retry --all' : `firebreak list --firewall ${firewall}`;
  return {
    ...basicsOf(event, firewall),
    kind: 'failure',
    title: `${firewall}: ${count(blocks.length, 'block')} ${describeUnmet(blocks)}: ${names}`,
    text: toText(describeFailure(event, isGivenUp), command),
    command,
    causes: toCauses(causes),
    ...toFigures(blocks),
  };
}

function describeFailure({ blocks }: FailureEvent, isGivenUp: boolean): string[] {
  const next = isGivenUp ? 'Given up: no further retries.' : 'Queued for retry.';
  return [...describeBlocks(blocks, ({ reason }) => reason), next];
}

/** Why, in up to three sentences, and which. */
function describeBlocks(blocks: readonly Block[], reasonOf: (block: Block) => string | null): string[] {
  const reasons = [...new Set(blocks.map((block) => reasonOf(block) ?? 'unknown'))].slice(0, 3);
  const flows = blocks.slice(0, maxTop).map(({ flow }) => describeFlow(flow));
  const rest = blocks.length - flows.length;
  return [...reasons, ...flows, rest > 0 ? `and ${rest} more` : ''];
}

/** A failure to a receiver; its causes distinguish it. */
function fromBypassed(event: BypassedEvent): WebhookEvent {
  const { firewall, causes, blocks } = event;
  const command = `firebreak reconcile --firewall ${firewall}`;
  return {
    ...basicsOf(event, firewall),
    kind: 'failure',
    title: `${firewall}: ${describeBypassed(blocks)}`,
    text: toText([...describeBlocks(blocks, warningOf), 'Not retried: the rules are in place.'], command),
    command,
    causes: toCauses(causes),
    ...toFigures(blocks),
  };
}

function toFigures(blocks: readonly Block[]) {
  const listed = blocks.slice(0, maxListed);
  return {
    count: blocks.length,
    alarms: blocks.reduce((sum, { alarms }) => sum + alarms, 0),
    blocks: listed.map(blockToJson),
    more: blocks.length - listed.length,
    sources: toTop(countTop(blocks, 'source', maxTop)),
    destinations: toTop(countTop(blocks, 'destination', maxTop)),
  };
}

function fromRecovery(event: RecoveryEvent): WebhookEvent {
  const { firewall, resolved, failing, bypassed, at } = event;
  const lasted = formatSpan(at - Math.min(...resolved.map(({ beganAt }) => beganAt)));
  const command = `firebreak list --firewall ${firewall}`;
  const lines = resolved.map(({ cause, beganAt }) => `${describeCause(cause)} since ${toTime(beganAt)}`);
  return {
    ...basicsOf(event, firewall),
    kind: 'recovery',
    title: `${firewall}: ${describeRecovery(event, lasted)}`,
    text: toText(lines, command),
    command,
    isOver: failing.length + bypassed === 0,
    causes: toCauses(resolved),
    count: failing.length + bypassed,
  };
}

function fromDrift(event: DriftEvent): WebhookEvent {
  const { firewall, drift, beganAt } = event;
  const command = `firebreak reconcile --firewall ${firewall}`;
  return {
    ...basicsOf(event, firewall),
    kind: 'drift',
    title: `${firewall}: ${count(drift.length, 'difference')} from the ledger`,
    text: toText(drift.slice(0, maxListed).map(describeDrift), command),
    command,
    causes: toCauses([{ cause: 'drift', beganAt }]),
    count: drift.length,
    more: Math.max(0, drift.length - maxListed),
  };
}

function fromAddresses(event: AddressesEvent): WebhookEvent {
  const { firewall, change } = event;
  const command = `firebreak reconcile --firewall ${firewall}`;
  return {
    ...basicsOf(event, firewall),
    kind: 'drift',
    title: `${firewall}: addresses changed`,
    text: toText(
      [describeChange(change), 'If the change is unexpected, find out who has access to the firewall.'],
      command,
    ),
    command,
    causes: toCauses([{ cause: 'addresses', beganAt: change.at }]),
    count: 1,
  };
}

function fromHeld(event: HeldEvent): WebhookEvent {
  const link = event.links['webhook'] ?? null;
  const { held, sources, destinations } = event.load;
  const [top] = sources;
  const command = 'firebreak list --state held';
  const most = top === undefined ? '' : `top source ${top.address}, ${count(top.blocks, 'block')} in the last hour`;
  return {
    ...basicsOf(event, null),
    kind: 'held',
    title: `HELD: ${count(held, 'new block')} wait for approval`,
    text: toText([most, 'Held blocks are NOT in force.', link === null ? '' : `Approve or reject: ${link}`], command),
    command,
    link,
    count: held,
    sources: toTop(sources),
    destinations: toTop(destinations),
  };
}

function fromExpiry(event: ExpiryEvent): WebhookEvent {
  const { blocks } = event;
  const command = 'firebreak list --sort end';
  const ends = blocks
    .slice(0, maxTop)
    .map(({ flow, expiresAt }) => `${describeFlow(flow)}${expiresAt === null ? '' : ` until ${toTime(expiresAt)}`}`);
  return {
    ...basicsOf(event, null),
    kind: 'expiry',
    title: `ENDING: ${count(blocks.length, 'long block')} soon`,
    text: toText([...ends, blocks.length > maxTop ? `and ${blocks.length - maxTop} more` : ''], command),
    command,
    ...toFigures(blocks),
  };
}
