import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { contains, parseAddress, type Address } from '../core/address.js';
import { isOver, shortId, type Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { cleanDescription } from '../core/description.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { toPort } from '../core/services.js';
import { acquireDueLeases } from '../dispatch/wait.js';
import type { BlockQuery, Ledger, NewAllowance } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { toDuration, toReason } from './allow.js';
import { dryRun } from './dry-run.js';
import { saveKnown } from './fallback.js';
import { findBlock } from './find-block.js';
import { matchSource, type SourceMatch } from './match-source.js';
import { submit } from './submit.js';

export interface ReleaseOptions {
  /** A source with a destination and a port, or any number of ids, addresses and networks. */
  targets: readonly string[];
  /** What the caller blocked last. */
  last?: boolean;
  firewalls: readonly string[];
  /** For how long the source is not blocked again; undefined: `defaults.grace`. */
  grace?: string | undefined;
  /** For how long and why the source is on the allowlist. */
  allow?: readonly string[] | undefined;
  check: boolean;
  wait: boolean;
}

/** What one target names. */
interface Match extends SourceMatch {
  /** The address or network, if the target is one. */
  named?: string;
}

/**
 * Releases every matching block, and proves that its rule is gone. A wider block that covers the address is named and
 * not released: it blocks others as well.
 */
export async function release(options: ReleaseOptions, app: App): Promise<Answer> {
  const { ledger, warn, actor } = app;
  const matches = (await findMatches(options, app)).map((match) => ({ ...match, current: openOf(match.inside) }));
  const past = matches.flatMap((match) => (match.current.length === 0 ? findPast(match) : []));
  const current = unique(matches.flatMap((match) => match.current));
  const allowances = toAllowances(options, matches, app.config);
  const idle = { check: false, isAwaited: false, blocks: past, past: past.map(({ id }) => id), run: null };
  if (current.length === 0) return idle;
  for (const block of unique(matches.flatMap(({ wider }) => openOf(wider))))
    warn(`still blocked: ${describeCover(block)}`);
  if (options.check) {
    const blocks = current.map((block) => ({ ...block, state: 'releasing' as const, desired: 'absent' as const }));
    return { ...(await dryRun(blocks, app)), check: true, isAwaited: false };
  }
  const [, why] = options.allow ?? [];
  const reason = `released by ${actor}${why === undefined ? '' : `: ${toReason(why)}`}`;
  const record = async (owner: string) => {
    for (const entry of allowances) await ledger.allow(entry); // first, so that no alarm comes in between
    const blocks = await ledger.release({ ids: current.map(({ id }) => id) }, reason);
    return { blocks, leases: await acquireDueLeases(blocks, owner, ledger) };
  };
  const answer = await submit(app, record, options);
  return { ...answer, blocks: [...answer.blocks, ...idle.blocks], past: idle.past };
}

/**
 * Requests the release of these blocks, and leaves it to the caller to apply it: what is queued is retried anyway.
 * @param allow for how long and why their sources are on the allowlist
 * @returns the blocks that are being released
 */
export async function requestRelease(
  ids: readonly string[],
  { reason = '', allow }: { reason?: string; allow?: readonly [time: string, reason: string] },
  app: App,
): Promise<Block[]> {
  const { ledger, actor, config } = app;
  const current = openOf(await ledger.findBlocks({ ids }));
  const options = { ...{ targets: ids, firewalls: [], check: false, wait: false }, allow };
  const allowances = toAllowances(options, [{ inside: current, wider: [], current }], config);
  const why = cleanDescription(reason === '' ? (allow?.[1] ?? '') : reason);
  for (const entry of allowances) await ledger.allow(entry); // first, so that no alarm comes in between
  const text = `released by ${actor}${why === '' ? '' : `: ${why}`}`;
  const blocks = await ledger.release({ ids: current.map(({ id }) => id) }, text);
  await saveKnown(app);
  return blocks;
}

const openOf = (blocks: readonly Block[]): Block[] => blocks.filter((block) => !isOver(block));

const unique = (blocks: readonly Block[]): Block[] => [...new Map(blocks.map((block) => [block.id, block])).values()];

/** What keeps the released sources from being blocked again. @throws FirebreakError usage */
function toAllowances(
  { grace, allow, firewalls }: ReleaseOptions,
  matches: readonly (Match & { current: readonly Block[] })[],
  config: Config,
): NewAllowance[] {
  const graceMs = grace === undefined ? config.defaults.grace : grace === '0' ? 0 : toDuration('--grace', grace);
  if (graceMs === null) throw new FirebreakError('usage', '--grace: expected an end; use --allow forever REASON');
  const sources = [
    ...new Set(matches.flatMap(({ named, current }) => current.map(({ flow }) => named ?? flow.source))),
  ];
  const places = firewalls.length === 0 ? [''] : selectFirewalls(config, firewalls).map(([name]) => name);
  const graces = sources.flatMap((address) =>
    places.map((firewall) => ({ kind: 'grace' as const, address, firewall, durationMs: graceMs, reason: '' })),
  );
  const [time, reason] = allow ?? [];
  if (time === undefined || reason === undefined) return graceMs > 0 ? graces : [];
  const allowed = { kind: 'allow' as const, durationMs: toDuration('--allow', time), reason: toReason(reason) };
  return sources.map((address) => ({ ...allowed, address }));
}

async function findMatches(options: ReleaseOptions, app: App): Promise<Match[]> {
  const { targets, last = false, firewalls } = options;
  if (last) {
    if (targets.length > 0) throw new FirebreakError('usage', '--last names what to release: give nothing else');
    return [await findLast(app)];
  }
  const [first] = targets;
  if (first === undefined) {
    throw new FirebreakError(
      'usage',
      'expected what to release: firebreak unblock SOURCE [DESTINATION [PORT]], ID|IP|NET..., or --last',
    );
  }
  const names = firewalls.length === 0 ? undefined : selectFirewalls(app.config, firewalls).map(([name]) => name);
  const query: BlockQuery = { ...(names !== undefined && { firewalls: names }) };
  if (!isList(targets)) return [await findFlow(targets, query, app.ledger)];
  const matches: Match[] = [];
  for (const target of targets) {
    if (isId(target)) matches.push({ inside: [await findBlock(target, app.ledger)], wider: [] });
    else matches.push(await findFlow([target], query, app.ledger));
  }
  return matches;
}

const isId = (word: string): boolean => /^[0-9A-Za-z]{4,26}$/.test(word) && !parseAddress(word).ok;

/** Two addresses are a source and a destination; a third word is a port, unless it is an address. */
const isList = ([first = '', second = '', third = '', ...more]: readonly string[]): boolean =>
  isId(first) || isId(second) || more.length > 0 || parseAddress(third).ok;

/** The last request of this caller only. @throws FirebreakError block_unknown */
async function findLast({ ledger, actor }: App): Promise<Match> {
  const ids = await ledger.findLastRequested(actor);
  const inside = await ledger.findBlocks({ ids });
  if (inside.length > 0) return { inside, wider: [] };
  throw new FirebreakError('block_unknown', `${actor} has not blocked anything; run firebreak list to see the blocks`);
}

async function findFlow(words: readonly string[], query: BlockQuery, ledger: Ledger): Promise<Match> {
  const [source = '', destination, port] = words;
  const ports = port === undefined ? {} : { port: port === '0' ? '' : toPort(port) };
  const address = parse('source', source);
  const match = { ...(await matchSource(address, { ...query, ...ports }, ledger)), named: address.text };
  if (destination === undefined) return match;
  const target = parse('destination', destination);
  const isTowards = ({ flow }: Block): boolean => {
    const parsed = parseAddress(flow.destination);
    return parsed.ok && contains(target, parsed.address);
  };
  return { ...match, inside: match.inside.filter(isTowards), wider: match.wider.filter(isTowards) };
}

function parse(name: string, text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('alarm_invalid', `${name}: ${parsed.message}`);
  return parsed.address;
}

const describeCover = (block: Block): string =>
  `${block.firewall}: ${describeFlow(block.flow)} covers it; to release that whole network, run firebreak unblock ${shortId(block)}`;

/** Releasing twice is not an error; a block that never existed is more likely a typing mistake. */
function findPast({ inside, wider, named }: Match): Block[] {
  const covering = openOf(wider);
  if (covering.length > 0) {
    const lines = covering.map((block) => `it has no block of its own, but ${describeCover(block)}`);
    throw new FirebreakError('block_unknown', lines.join('\n'));
  }
  const last = inside.filter(({ state }) => state === 'released').at(-1);
  if (last === undefined) {
    throw new FirebreakError(
      'block_unknown',
      `no block matches${named === undefined ? '' : ` ${named}`}; run firebreak list to see current blocks`,
    );
  }
  return [{ ...last, changed: false }];
}
