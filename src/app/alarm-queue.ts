import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Seen } from '../core/policy.js';
import type { Alarm } from '../intake/alarm.js';
import type { NewAlarm } from '../ledger/ledger.js';
import { notifyHeld } from '../notify/held.js';
import type { App } from '../runtime/app.js';
import { admit, makePolicies } from './admit.js';
import { recordOptions } from './record.js';

/** An alarm to record. */
export interface QueuedAlarm {
  /** An alarm whose id is recorded already is not recorded again. */
  id: string;
  alarm: Alarm;
  origin: string;
  /** Empty: all firewalls. */
  firewalls: readonly string[];
}

export interface RecordedAlarm {
  id: string;
  blocks: Block[];
  /** Ids of blocks that this same event had already requested. */
  repeated: string[];
  /** Ids of blocks whose end the alarm moved. */
  extended: string[];
}

/**
 * Records alarms that arrive at the same time in one transaction: each costs a write to the disk, which would limit a
 * storm to some hundred alarms per second.
 */
export interface AlarmQueue {
  /** Resolves when they are on disk. @throws FirebreakError ledger_busy if too many wait; else as `admit` and the ledger */
  record(alarms: readonly QueuedAlarm[]): Promise<RecordedAlarm[]>;
}

/** So that a transaction does not keep other processes waiting. */
const perTransaction = 250;

/** How long the first alarm waits for others: a transaction blocks the process while it reaches the disk. */
const gatherMs = 40;

/** Alarms that may wait: more would wait longer than their sender. */
const maxQueued = 5000;

interface Entry {
  alarms: readonly QueuedAlarm[];
  resolve: (recorded: RecordedAlarm[]) => void;
  reject: (error: unknown) => void;
}

export function makeAlarmQueue(app: App): AlarmQueue {
  let queue: Entry[] = [];
  let isWorking = false;
  const countQueued = (): number => queue.reduce((sum, { alarms }) => sum + alarms.length, 0);
  const work = async (): Promise<void> => {
    isWorking = true;
    while (queue.length > 0) {
      if (countQueued() < perTransaction) await sleep(gatherMs);
      const entries = takeSome(queue);
      queue = queue.slice(entries.length);
      await settle(entries, app);
    }
    isWorking = false;
  };
  return {
    record: (alarms) =>
      new Promise((resolve, reject) => {
        const waiting = countQueued();
        if (waiting > 0 && waiting + alarms.length > maxQueued)
          return reject(new FirebreakError('ledger_busy', `${waiting} alarms wait to be recorded; send it again`));
        queue.push({ alarms, resolve, reject });
        if (!isWorking) void work();
      }),
  };
}

/** The next requests that one transaction records: at least one. */
function takeSome(queue: readonly Entry[]): Entry[] {
  let sum = 0;
  const end = queue.findIndex(({ alarms }, index) => (sum += alarms.length) > perTransaction && index > 0);
  return queue.slice(0, end < 0 ? queue.length : end);
}

/** Records all in one transaction; if that fails, each request by itself, because one of them may be the cause. */
async function settle(entries: readonly Entry[], app: App): Promise<void> {
  try {
    const recorded = await recordAll(
      entries.flatMap(({ alarms }) => alarms),
      app,
    );
    let from = 0;
    for (const { alarms, resolve } of entries) resolve(recorded.slice(from, (from += alarms.length)));
  } catch (error) {
    const isOfLedger = error instanceof FirebreakError && error.code.startsWith('ledger_');
    if (entries.length === 1 || isOfLedger) for (const { reject } of entries) reject(error);
    else for (const entry of entries) await settle([entry], app);
  }
}

async function recordAll(alarms: readonly QueuedAlarm[], app: App): Promise<RecordedAlarm[]> {
  const { config, ledger } = app;
  const admitted = admitAll(alarms, config, await ledger.findSeen());
  const { blocks, repeated, extended, isFirstHeld } = await ledger.recordAlarms(admitted, recordOptions(config));
  if (isFirstHeld) await notifyHeld(app).catch((error: unknown) => app.warn(String(error))); // they are recorded
  return alarms.map(({ id }, index) => ({ id, blocks: blocks[index] ?? [], repeated, extended }));
}

function admitAll(alarms: readonly QueuedAlarm[], config: Config, seen: Seen): NewAlarm[] {
  const policyOf = makePolicies(config, seen);
  return alarms.map(({ id, alarm, origin, firewalls }) => ({
    id,
    by: origin,
    origin,
    context: alarm.context,
    blocks: admit(alarm, { firewalls, seen, policyOf }, config),
  }));
}
