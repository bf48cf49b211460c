import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { describeUnreadable } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import { exitCodeOfAll } from '../core/outcome.js';
import type { Seen } from '../core/policy.js';
import { parseAlarm } from '../intake/alarm.js';
import { parseListFile, type ListEntry } from '../intake/list-file.js';
import { findOrigin } from '../intake/origin.js';
import type { Block } from '../core/block.js';
import type { NewAlarm, Lease } from '../ledger/ledger.js';
import { blockToJson } from '../views/json.js';
import { countStates } from '../views/answer.js';
import { tellHeld } from '../notify/held.js';
import { seeTo } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';
import { findPolicies, toKeepBlocks } from './admit.js';

export interface ImportOptions {
  file: string;
  /** What an entry leaves out. */
  defaults: ListEntry['words'];
  firewalls: readonly string[];
  wait: boolean;
}

/** An alarm waits for one transaction, not for the whole list. */
const perTransaction = 250;

/** More bad entries than these are counted, not told. */
const mostProblems = 20;

/** Blocks a list of addresses, in as few runs as it takes. One bad entry, and none of it is kept. */
export async function importList(options: ImportOptions, context: CommandContext): Promise<CommandResult> {
  const entries = parseListFile(readList(options.file));
  return withLedger(context, async ({ config, configFile, ledger }) => {
    const alarms = toAlarms(entries, options, config, await ledger.findSeen());
    const owner = ulid();
    const asked: Block[] = [];
    let leases: Lease[] = [];
    let isFirstHeld = false;
    for (let start = 0; start < alarms.length; start += perTransaction) {
      const part = alarms.slice(start, start + perTransaction);
      const isLast = start + perTransaction >= alarms.length;
      const kept = await ledger.recordAlarms(part, {
        recheckMs: config.dispatch.recheck,
        limits: toLimits(config),
        ...(isLast && { owner, isHandedOver: !options.wait }),
      });
      asked.push(...kept.blocks.flat());
      leases = kept.leases;
      isFirstHeld ||= kept.isFirstHeld;
      if (!isLast) await sleep(1); // whoever waits for the ledger meanwhile, an alarm perhaps, has his turn
    }
    const parts = { config, configFile, ledger, owner };
    if (isFirstHeld) await tellHeld(config, ledger, context.tell);
    const blocks = await seeTo(asked, leases, options.wait, parts, context);
    return {
      exit: exitCodeOfAll(blocks, options.wait),
      text: `${entries.length} entries: ${countStates(blocks)}`,
      json: { blocks: blocks.map(blockToJson) },
    };
  });
}

/** A list has been looked at by a person, so only what a firewall is to carry in all limits it. */
const toLimits = ({ policy: { limits } }: Config) =>
  limits.hold ? { perMinute: Infinity, active: limits.active } : undefined;

function readList(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new FirebreakError('list_invalid', describeUnreadable(file, error), { cause: error });
  }
}

function toAlarms(entries: readonly ListEntry[], options: ImportOptions, config: Config, seen: Seen): NewAlarm[] {
  const problems: string[] = [];
  const asked = { firewalls: options.firewalls, policyOf: findPolicies(config, seen) };
  const origin = `${findOrigin()}, from a list`;
  const alarms = entries.flatMap(({ where, words }) => {
    try {
      const alarm = parseAlarm(toWords({ ...options.defaults, ...words }), config);
      return { id: ulid(), origin, context: {}, blocks: toKeepBlocks(alarm, config, asked) };
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      problems.push(`${where}: ${error.message.replaceAll('\n', '; ')}`);
      return [];
    }
  });
  if (problems.length === 0) return alarms;
  const more = problems.length - mostProblems;
  const told = [...problems.slice(0, mostProblems), ...(more > 0 ? [`and ${more} more`] : []), 'nothing was kept'];
  throw new FirebreakError('list_invalid', told.join('\n'));
}

const toWords = (words: ListEntry['words']): Parameters<typeof parseAlarm>[0] => ({
  source: words.source ?? '',
  destination: words.destination ?? '',
  port: words.port ?? '',
  interface: words.interface,
  type: words.type,
  ipproto: undefined,
  protocol: words.protocol,
  description: words.description,
  duration: words.duration,
  context: {},
});
