import { readFileSync } from 'node:fs';
import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { describeUnreadable } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import { exitCodeOfAll } from '../core/outcome.js';
import type { Seen } from '../core/policy.js';
import { parseAlarm } from '../intake/alarm.js';
import { parseListFile, type ListEntry } from '../intake/list-file.js';
import { findOrigin } from '../intake/origin.js';
import type { KeepAlarm } from '../ledger/ledger.js';
import { blockToJson } from '../report/json.js';
import { countStates } from '../report/text.js';
import { tellHeld } from './tell-held.js';
import { seeTo } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './session.js';
import { toKeepBlocks } from './wanted.js';

export interface ImportOptions {
  file: string;
  /** What an entry leaves out. */
  defaults: ListEntry['words'];
  firewalls: readonly string[];
  wait: boolean;
}

/** More bad entries than these are counted, not told. */
const mostProblems = 20;

/** Blocks a list of addresses, in as few runs as it takes. One bad entry, and none of it is kept. */
export async function importList(options: ImportOptions, context: CommandContext): Promise<CommandResult> {
  const entries = parseListFile(readList(options.file));
  return withLedger(context, async ({ config, configFile, ledger }) => {
    const alarms = toAlarms(entries, options, config, await ledger.findSeen());
    const owner = ulid();
    const kept = await ledger.keep(alarms, {
      recheckMs: config.dispatch.recheck,
      limits: toLimits(config),
      owner,
      isHandedOver: !options.wait,
    });
    const asked = kept.blocks.flat();
    const parts = { config, configFile, ledger, owner };
    if (kept.isFirstHeld) await tellHeld(parts, context);
    const blocks = await seeTo(asked, kept.leases, options.wait, parts, context);
    return {
      exit: exitCodeOfAll(blocks),
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

function toAlarms(entries: readonly ListEntry[], options: ImportOptions, config: Config, seen: Seen): KeepAlarm[] {
  const problems: string[] = [];
  const { firewalls } = options;
  const origin = `${findOrigin()}, from a list`;
  const alarms = entries.flatMap(({ where, words }) => {
    try {
      const alarm = parseAlarm(toWords({ ...options.defaults, ...words }), config);
      return { id: ulid(), origin, context: {}, blocks: toKeepBlocks(alarm, config, { firewalls, seen }) };
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
