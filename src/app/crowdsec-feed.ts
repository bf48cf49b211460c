import { setTimeout as pause } from 'node:timers/promises';
import { readFeedState, writeFeedState } from '../config/feed-state.js';
import type { CrowdsecConfig } from '../config/schema/feed-keys.js';
import { selectFirewalls } from '../config/select.js';
import { currentStates, type Block } from '../core/block.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import { requestDecisions } from '../intake/crowdsec-request.js';
import { durationOf, parseDecisionStream, sourceOf, type DecisionStream } from '../intake/crowdsec-stream.js';
import type { ListEntry } from '../intake/list-file.js';
import type { BlockQuery } from '../ledger/ledger.js';
import { yieldToOthers } from '../ledger/yield-to-others.js';
import type { App } from '../runtime/app.js';
import { count } from '../views/count.js';
import type { Applier } from './apply-soon.js';
import { listOrigin, recordFeed } from './import.js';

const actor = 'feed crowdsec';
/** Only blocks of this origin alone are the feed's to release. */
const origin = listOrigin(actor);

/** So that a transaction does not keep others waiting. */
const perTransaction = 250;

/** A block whose end differs by less from that of its decision is as decided. */
const toleranceMs = 60_000;

/**
 * Blocks what CrowdSec decides, until a signal stops it. A request that fails changes nothing; after it, as at the
 * start, all decisions are requested, because a change may have been lost.
 */
export async function followCrowdsec(
  settings: CrowdsecConfig,
  app: App,
  applier: Pick<Applier, 'kick'>,
): Promise<void> {
  const own = { ...app, actor, ledger: app.ledger.as(actor) };
  const firewalls = selectFirewalls(app.config, settings.firewalls).map(([name]) => name);
  const isStopped = (): boolean => app.stop.aborted;
  let isWhole = true;
  while (!isStopped()) {
    const problem = await followOnce({ settings, isWhole, firewalls }, own, () => applier.kick(firewalls));
    if (isStopped()) return;
    await saveState(problem, own);
    isWhole = problem !== undefined;
    await pause(settings.every, undefined, { signal: app.stop }).catch(() => undefined); // stopped: the loop ends
  }
}

interface Request {
  settings: CrowdsecConfig;
  /** Whether all decisions are requested, not only the changes. */
  isWhole: boolean;
  firewalls: readonly string[];
}

/** @param changed is called if something was recorded @returns why it failed, for people */
async function followOnce(request: Request, app: App, changed: () => void): Promise<string | undefined> {
  const { settings, isWhole } = request;
  let text: string;
  try {
    text = await requestDecisions(settings, isWhole, app.stop);
  } catch (error) {
    return describeError(error);
  }
  try {
    const { scenarios } = settings;
    const stream = await parseDecisionStream(text, { widest: app.config.policy.widest, scenarios });
    const changes = isWhole ? await findAllChanges(stream, request, app) : findChanges(stream, request);
    if (await applyChanges(changes, settings, app)) changed();
    return undefined;
  } catch (error) {
    if (error instanceof FirebreakError) return error.message;
    throw error;
  }
}

interface Changes {
  list: DecisionStream['list'];
  /** Blocks to release, in small parts. */
  gone: BlockQuery[];
}

function findChanges({ list, deleted }: DecisionStream, { firewalls }: Request): Changes {
  const isDecided = new Set(list.entries.map(sourceOf));
  const sources = deleted.filter((source) => !isDecided.has(source));
  return { list, gone: chunksOf(sources).map((each) => ({ sources: each, firewalls })) };
}

/** What makes the blocks of this feed those that are decided: what is blocked already is not recorded again. */
async function findAllChanges({ list }: DecisionStream, { settings, firewalls }: Request, app: App): Promise<Changes> {
  const now = await app.ledger.now();
  const wanted = new Map(list.entries.map((entry) => [sourceOf(entry), entry]));
  const blocked = new Map<string, number>();
  const gone: string[] = [];
  await yieldToOthers();
  for await (const page of app.ledger.readBlocks({ onlyOf: origin, states: currentStates })) {
    for (const block of page) {
      const entry = wanted.get(block.flow.source);
      if (entry === undefined || !isFilledBy(settings, block) || !firewalls.includes(block.firewall))
        gone.push(block.id);
      else if (lastsFor(entry, block, now)) blocked.set(block.flow.source, (blocked.get(block.flow.source) ?? 0) + 1);
    }
  }
  await yieldToOthers();
  const missing = list.entries.filter((entry) => (blocked.get(sourceOf(entry)) ?? 0) < firewalls.length);
  return { list: { ...list, entries: missing }, gone: chunksOf(gone).map((ids) => ({ ids })) };
}

/** @returns whether something may have to be applied */
async function applyChanges({ list, gone }: Changes, settings: CrowdsecConfig, app: App): Promise<boolean> {
  let released = 0;
  for (const query of gone) {
    const blocks = await app.ledger.release({ ...query, onlyOf: origin, states: currentStates }, 'deleted by CrowdSec');
    released += blocks.length;
  }
  const recorded = list.entries.length === 0 ? 0 : await record(list, settings, app);
  return released + recorded > 0;
}

const isFilledBy = ({ destination, port, protocol }: CrowdsecConfig, { flow }: Block): boolean =>
  flow.destination === destination.text &&
  flow.port === (port?.toString() ?? '') &&
  flow.protocol === protocolOf({ port, protocol });

function lastsFor(entry: ListEntry, { desired, expiresAt }: Block, now: number): boolean {
  const ms = durationOf(entry);
  if (desired === 'absent') return false;
  return ms === undefined || expiresAt === null || (ms !== null && expiresAt >= now + ms - toleranceMs);
}

/** A decision without a protocol is filled as an OpenC2 command is. */
const protocolOf = ({ port, protocol }: Pick<CrowdsecConfig, 'port' | 'protocol'>): string =>
  protocol ?? (port === undefined ? 'any' : 'tcp/udp');

async function record(list: DecisionStream['list'], settings: CrowdsecConfig, app: App): Promise<number> {
  const { destination, port, firewalls } = settings;
  const defaults = {
    destination: destination.text,
    protocol: protocolOf(settings),
    ...(port !== undefined && { port: String(port) }),
  };
  // An IPv6 source cannot reach an IPv4 destination.
  const entries = list.entries.filter((entry) => sourceOf(entry).includes(':') === (destination.family === 'inet6'));
  const counts = await recordFeed({ ...list, entries }, { defaults, firewalls }, app);
  if (counts.bad > 0) app.warn(`feeds.crowdsec: ${count(counts.bad, 'decision')} cannot be blocked`);
  return counts.new + counts.known;
}

function chunksOf<T>(all: readonly T[]): T[][] {
  const starts = Array.from({ length: Math.ceil(all.length / perTransaction) }, (_, index) => index * perTransaction);
  return starts.map((start) => all.slice(start, start + perTransaction));
}

/** Other processes show it. The first failure is a warning, those after it are the same. */
async function saveState(problem: string | undefined, { config, ledger, warn }: App): Promise<void> {
  const known = readFeedState(config);
  try {
    const now = await ledger.now();
    if (problem !== undefined && known?.failing_since === null) warn(`feeds.crowdsec: ${problem}`);
    const state =
      problem === undefined
        ? { last_success_at: now, failing_since: null, message: null }
        : {
            last_success_at: known?.last_success_at ?? null,
            failing_since: known?.failing_since ?? now,
            message: problem,
          };
    writeFeedState(state, config);
  } catch (error) {
    warn(`feeds.crowdsec: ${describeError(error)}`);
  }
}
