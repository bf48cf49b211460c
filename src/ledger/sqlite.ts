import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEntry } from '../core/audit.js';
import type { Block } from '../core/block.js';
import type { Ledger, Lease } from './ledger.js';
import {
  appendAudit,
  entriesOfAlarms,
  entryOfBlock,
  entryOfSettled,
  findAuditHead,
  findOldestBlock,
  type Audit,
} from './sqlite/audit.js';
import { claimBatch, settleBatch } from './sqlite/batches.js';
import { followClock, readClock, type Reading } from './sqlite/clock.js';
import { openDatabase } from './sqlite/database.js';
import { findHistory, noteDrift } from './sqlite/history.js';
import { identify } from './sqlite/holder.js';
import { decideBlocks, doubtBlocks, expireBlocks, releaseBlocks } from './sqlite/decide.js';
import { claimOutcomes, hasOutcomes, passOutcomes } from './sqlite/feeds.js';
import { findFreeze, freeze, unfreeze } from './sqlite/freeze.js';
import { Counts, hasHeld, keepAlarm } from './sqlite/keep.js';
import { findIncidents, noteIncidents } from './sqlite/incidents.js';
import { acquireLease, hasDueWork, isLeaseHeld, releaseLease, renewLease, takeOverLease } from './sqlite/leases.js';
import {
  beginHanding,
  claimMessages,
  findMessages,
  hasMessage,
  hasMessages,
  queueMessage,
  settleMessage,
} from './sqlite/outbox.js';
import { findAlarms, findRun, findRunsToKeep, findWork, hasAlarm } from './sqlite/records.js';
import { findBlocks } from './sqlite/rows.js';
import { beginAsking, findAddressChanges, findSeen, noteAddresses, noteTold } from './sqlite/seen.js';
import { beginSession, endSession } from './sqlite/sessions.js';
import { findStorm } from './sqlite/storm.js';
import { beginWaiting, endWaiting } from './sqlite/waiters.js';

/** How often a waiting process asks whether others wrote. One number is read, no query is made. */
const lookEveryMs = 100;

/**
 * Opens the ledger in one SQLite file, for any number of processes of one host.
 * @param clock is looked at once in each transaction
 * @param audit where each decision is written down as well, in the same transaction
 * @param patienceMs how long to wait for others that write
 * @throws FirebreakError ledger_unwritable, ledger_corrupt, ledger_newer, ledger_busy
 */
export function openSqliteLedger(
  file: string,
  clock: () => Reading = readClock,
  audit?: Audit,
  patienceMs?: number,
): Ledger {
  const database = openDatabase(file, patienceMs);

  /** One transaction that begins by looking at the clock. */
  const write = async <T>(work: (now: number) => T): Promise<T> =>
    Promise.resolve(
      database.write(() => {
        const reading = clock();
        followClock(database, reading);
        return work(reading.wall);
      }),
    );
  /** The same, and what was decided is written down. */
  const decide = <T>(work: (now: number) => T, tell: (result: T) => AuditEntry[]): Promise<T> =>
    write((at) => {
      const result = work(at);
      if (audit !== undefined) appendAudit(database, audit, tell(result), at);
      return result;
    });
  const tellAll = (event: string) => (blocks: readonly Block[]) => blocks.map((block) => entryOfBlock(event, block));
  const now = (): number => clock().wall;
  const dataVersion = (): unknown => database.get('PRAGMA data_version')?.['data_version'];

  return {
    keep: (alarms, options) =>
      decide(
        (at) => {
          const hadHeld = hasHeld(database);
          const request = { options, counts: new Counts(), now: at };
          const keptAlarms = alarms.map((alarm) => keepAlarm(database, alarm, request));
          const blocks = keptAlarms.map((kept) => kept.map(({ block }) => block));
          const repeated = keptAlarms.flat().flatMap(({ block, isRepeated }) => (isRepeated ? block.id : []));
          const { owner } = options;
          const firewalls = new Set(blocks.flat().map(({ firewall }) => firewall));
          const leases: Lease[] = [];
          for (const firewall of owner === undefined ? [] : firewalls) {
            if (!hasDueWork(database, firewall, at)) continue;
            const lease = acquireLease(
              database,
              firewall,
              owner ?? '',
              options.isHandedOver === true ? null : identify(),
              at,
            );
            if (lease !== undefined) leases.push(lease);
          }
          const isFirstHeld = !hadHeld && blocks.flat().some(({ state }) => state === 'held');
          return { blocks, leases, repeated, isFirstHeld };
        },
        ({ blocks }) => entriesOfAlarms(alarms, blocks),
      ),
    release: (query, reason) => decide((at) => releaseBlocks(database, query, reason, at), tellAll('release')),
    decide: (move, ids) => decide((at) => decideBlocks(database, move, ids, at), tellAll(move)),
    expire: (limits) => decide((at) => expireBlocks(database, limits, at), tellAll('expire')),
    findBlocks: (query) => Promise.resolve(findBlocks(database, query)),
    hasAlarm: (id) => Promise.resolve(hasAlarm(database, id)),
    findAlarms: (block) => Promise.resolve(findAlarms(database, block)),
    findRun: (id) => Promise.resolve(findRun(database, id)),
    findRunsToKeep: (many) => Promise.resolve(findRunsToKeep(database, many)),
    findSeen: () => Promise.resolve(findSeen(database, now())),
    noteAddresses: (firewall, addresses) => write((at) => noteAddresses(database, firewall, addresses, at)),
    beginAsking: (firewall, everyMs) => write((at) => beginAsking(database, firewall, everyMs, at)),
    findAddressChanges: () => Promise.resolve(findAddressChanges(database, now())),
    tellAddressChange: (firewall, messages) =>
      write((at) => {
        noteTold(database, firewall);
        for (const message of messages) queueMessage(database, message, at);
      }),
    findWork: (firewall) => Promise.resolve(findWork(database, firewall, now())),

    acquireLease: async (firewall, owner) =>
      isLeaseHeld(database, firewall, now())
        ? undefined
        : write((at) => acquireLease(database, firewall, owner, identify(), at)),
    takeOverLease: (firewall, owner) => write(() => takeOverLease(database, firewall, owner, identify())),
    renewLease: (lease) => write((at) => renewLease(database, lease, at)),
    releaseLease: (lease, force = false) => write((at) => releaseLease(database, lease, force, at)),

    claimBatch: (lease, run, limit) => write((at) => claimBatch(database, lease, run, limit, at)),
    settleBatch: (lease, ended) =>
      decide(
        (at) => settleBatch(database, lease, ended, at),
        (blocks) => blocks.map((block) => entryOfSettled(ended.id, block)),
      ),

    doubt: (ids) => write((at) => doubtBlocks(database, ids, at)),

    beginWaiting: (waiter, most, forMs) => write((at) => beginWaiting(database, waiter, most, at, forMs)),
    endWaiting: (waiter) => write(() => endWaiting(database, waiter)),
    beginSession: (session) => write((at) => beginSession(database, session, at)),
    endSession: (session) => write(() => endSession(database, session)),
    changed: async (timeoutMs) => {
      const before = dataVersion();
      for (let waited = 0; waited < timeoutMs && dataVersion() === before; waited += lookEveryMs) {
        await sleep(Math.min(lookEveryMs, timeoutMs - waited));
      }
    },

    freeze: (reason, by) =>
      decide(
        (at) => freeze(database, reason, by, at),
        () => [{ event: 'freeze', reason }],
      ),
    unfreeze: () =>
      decide(
        () => unfreeze(database),
        (was) => (was ? [{ event: 'unfreeze' }] : []),
      ),
    note: (entry) =>
      decide(
        () => undefined,
        () => [entry],
      ),
    findAuditHead: () => Promise.resolve(findAuditHead(database)),
    findOldestBlock: () => Promise.resolve(findOldestBlock(database)),
    findFreeze: () => Promise.resolve(findFreeze(database)),
    findStorm: () => Promise.resolve(findStorm(database, now())),
    noteDrift: (firewall, differences) => write((at) => noteDrift(database, firewall, differences, at)),
    findHistory: (since) => Promise.resolve(findHistory(database, since, now())),

    queueMessage: (message) => write((at) => queueMessage(database, message, at)),
    hasMessage: (id) => Promise.resolve(hasMessage(database, id)),
    findIncidents: (firewall) => Promise.resolve(findIncidents(database, firewall)),
    tellIncidents: (firewall, news, messages) =>
      write((at) => {
        noteIncidents(database, firewall, news, at);
        for (const message of messages) queueMessage(database, message, at);
      }),
    claimMessages: async (sender, forMs) =>
      hasMessages(database, sender, now()) ? write((at) => claimMessages(database, sender, at, forMs)) : [],
    beginHanding: (id, sender, forMs) => write((at) => beginHanding(database, id, sender, at + forMs)),
    settleMessage: (id, sender, ending) => write((at) => settleMessage(database, { id, sender, ending }, at)),
    claimOutcomes: async (feed, sender, forMs) =>
      hasOutcomes(database, feed, sender, now())
        ? write((at) => claimOutcomes(database, { feed, sender, forMs }, at))
        : [],
    passOutcomes: (feed, sender, passed) => write((at) => passOutcomes(database, { feed, sender, ...passed }, at)),
    findMessages: () => Promise.resolve(findMessages(database)),

    now,
    close: () => database.close(),
  };
}
