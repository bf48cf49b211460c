import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { contains, parseAddress, type Address } from '../core/address.js';
import { isOver, type Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { toPort } from '../core/services.js';
import { acquireDueLeases } from '../dispatch/wait.js';
import type { BlockQuery, NewAllowance } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { toDuration, toReason } from './allow.js';
import { dryRun } from './dry-run.js';
import { findBlock } from './find-block.js';
import { matchSource, type SourceMatch } from './match-source.js';
import { submit } from './submit.js';

export interface ReleaseOptions {
  /** An address, or a network: every block inside it. */
  source: string | undefined;
  destination: string | undefined;
  port: string | undefined;
  id: string | undefined;
  firewalls: readonly string[];
  /** For how long the source is not blocked again; undefined: `defaults.grace`. */
  grace: string | undefined;
  /** For how long and why the source is on the allowlist. */
  allow: readonly string[] | undefined;
  check: boolean;
  wait: boolean;
}

/**
 * Releases every matching block, and proves that its rule is gone. A wider block that covers the address is named and
 * not released: it blocks others as well.
 */
export async function release(options: ReleaseOptions, app: App): Promise<Answer> {
  const { ledger, warn } = app;
  const { inside, wider } = await findMatch(options, app);
  const covering = wider.filter((block) => !isOver(block));
  const current = inside.filter((block) => !isOver(block));
  const allowances = toAllowances(options, current, app.config);
  if (current.length === 0) return noMatch(inside, covering);
  for (const block of covering) warn(`still blocked: ${describeCover(block)}`);
  if (options.check) {
    const blocks = current.map((block) => ({ ...block, state: 'releasing' as const, desired: 'absent' as const }));
    return { ...(await dryRun(blocks, app)), check: true, isAwaited: false };
  }
  const record = async (owner: string) => {
    for (const entry of allowances) await ledger.allow(entry); // first, so that no alarm comes in between
    const blocks = await ledger.release({ ids: current.map(({ id }) => id) }, 'released by an operator');
    return { blocks, leases: await acquireDueLeases(blocks, owner, ledger) };
  };
  return submit(app, record, options);
}

/** What keeps the released sources from being blocked again. @throws FirebreakError usage */
function toAllowances(options: ReleaseOptions, blocks: readonly Block[], { defaults }: Config): NewAllowance[] {
  const { grace, allow, firewalls } = options;
  const graceMs = grace === undefined ? defaults.grace : grace === '0' ? 0 : toDuration('--grace', grace);
  if (graceMs === null) throw new FirebreakError('usage', '--grace: expected an end; use --allow forever REASON');
  const named = options.source === undefined ? undefined : parse('source', options.source).text;
  const sources = [...new Set(blocks.map(({ flow }) => named ?? flow.source))];
  const places = firewalls.length === 0 ? [''] : firewalls;
  const graces = sources.flatMap((address) =>
    places.map((firewall) => ({ kind: 'grace' as const, address, firewall, durationMs: graceMs, reason: '' })),
  );
  const [time, reason] = allow ?? [];
  if (time === undefined || reason === undefined) return graceMs > 0 ? graces : [];
  const allowed = { kind: 'allow' as const, durationMs: toDuration('--allow', time), reason: toReason(reason) };
  return sources.map((address) => ({ ...allowed, address }));
}

async function findMatch(options: ReleaseOptions, { config, ledger }: App): Promise<SourceMatch> {
  const { id, source, destination, port, firewalls } = options;
  if (id !== undefined) {
    if (source !== undefined) throw new FirebreakError('usage', 'give SOURCE or --id, not both');
    return { inside: [await findBlock(id, ledger)], wider: [] };
  }
  if (source === undefined) {
    throw new FirebreakError(
      'usage',
      'expected a source or an id: firebreak unblock SOURCE [DESTINATION [PORT]], or --id ID',
    );
  }
  const query: BlockQuery = {
    ...(port !== undefined && { port: port === '0' ? '' : toPort(port) }),
    ...(firewalls.length > 0 && { firewalls: selectFirewalls(config, firewalls).map(([name]) => name) }),
  };
  const match = await matchSource(parse('source', source), query, ledger);
  if (destination === undefined) return match;
  const target = parse('destination', destination);
  const isTowards = ({ flow }: Block): boolean => {
    const parsed = parseAddress(flow.destination);
    return parsed.ok && contains(target, parsed.address);
  };
  return { inside: match.inside.filter(isTowards), wider: match.wider.filter(isTowards) };
}

function parse(name: string, text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('alarm_invalid', `${name}: ${parsed.message}`);
  return parsed.address;
}

const describeCover = ({ flow, firewall, id }: Block): string =>
  `${firewall}: ${describeFlow(flow)} covers it; to release that whole network, run firebreak unblock --id ${id}`;

/** Releasing twice is not an error; a block that never existed is more likely a typing mistake. */
function noMatch(past: readonly Block[], covering: readonly Block[]): Answer {
  if (covering.length > 0) {
    const lines = covering.map((block) => `it has no block of its own, but ${describeCover(block)}`);
    throw new FirebreakError('block_unknown', lines.join('\n'));
  }
  const last = past.filter(({ state }) => state === 'released').at(-1);
  if (last === undefined) {
    throw new FirebreakError('block_unknown', 'no block matches; run firebreak list to see current blocks');
  }
  return { check: false, isAwaited: false, blocks: [{ ...last, changed: false }], run: null };
}
