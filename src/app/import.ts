import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { parseAlarm } from '../intake/alarm.js';
import type { ListEntry } from '../intake/list-file.js';
import { toAlarmRequest } from '../intake/fields.js';
import type { NewAlarm } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { admit, makePolicies } from './admit.js';
import { submit, type Recorded } from './submit.js';

export interface ImportOptions {
  /** Values for entries that omit them. */
  defaults: ListEntry['fields'];
  firewalls: readonly string[];
  wait: boolean;
}

/** So that an alarm waits for one transaction, not for the whole list. */
const perTransaction = 250;

/** Further bad entries are counted, not listed. */
const maxProblems = 20;

/**
 * Blocks a list of addresses, in as few runs as possible.
 * @throws FirebreakError list_invalid if any entry is bad; then none is recorded
 */
export async function importList(entries: readonly ListEntry[], options: ImportOptions, app: App): Promise<Answer> {
  const alarms = await toAlarms(entries, options, app);
  return submit(app, (owner) => recordAll(alarms, { owner, isHandedOver: !options.wait }, app), options);
}

async function recordAll(
  alarms: readonly NewAlarm[],
  claim: { owner: string; isHandedOver: boolean },
  { ledger, config }: App,
): Promise<Recorded> {
  const recorded = { blocks: [] as Block[], leases: [] as Recorded['leases'], isFirstHeld: false };
  for (let start = 0; start < alarms.length; start += perTransaction) {
    const isLast = start + perTransaction >= alarms.length;
    const part = await ledger.recordAlarms(alarms.slice(start, start + perTransaction), {
      recheckMs: config.dispatch.recheck,
      limits: toLimits(config),
      ...(isLast && claim),
    });
    recorded.blocks.push(...part.blocks.flat());
    recorded.leases = part.leases;
    recorded.isFirstHeld ||= part.isFirstHeld;
    if (!isLast) await sleep(1); // lets others write to the ledger, such as an alarm
  }
  return recorded;
}

/** A person has reviewed the list, so only the limit of a firewall's capacity applies. */
const toLimits = ({ policy: { limits } }: Config) =>
  limits.hold ? { perMinute: Infinity, active: limits.active } : undefined;

async function toAlarms(entries: readonly ListEntry[], options: ImportOptions, app: App): Promise<NewAlarm[]> {
  const { config, ledger } = app;
  const problems: string[] = [];
  const target = { firewalls: options.firewalls, policyOf: makePolicies(config, await ledger.findSeen()) };
  const origin = `${app.actor}, from a list`;
  const alarms = entries.flatMap(({ where, fields }) => {
    try {
      const alarm = parseAlarm(toAlarmRequest({ ...options.defaults, ...fields }), config);
      return { id: ulid(), origin, context: {}, blocks: admit(alarm, target, config) };
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      problems.push(`${where}: ${error.message.replaceAll('\n', '; ')}`);
      return [];
    }
  });
  if (problems.length === 0) return alarms;
  const more = problems.length - maxProblems;
  const listed = [...problems.slice(0, maxProblems), ...(more > 0 ? [`and ${more} more`] : []), 'nothing was recorded'];
  throw new FirebreakError('list_invalid', listed.join('\n'));
}
