import type { AuditEntry } from '../../core/audit.js';
import type { Block } from '../../core/block.js';
import type {
  Allowances,
  Audit,
  BlockStore,
  Control,
  Incidents,
  Leases,
  Ledger,
  Outbox,
  DecisionLinks,
  People,
  Tokens,
} from '../ledger.js';
import { processIdentity } from '../process-identity.js';
import {
  appendAudit,
  entriesOfAlarms,
  entryOfAmendment,
  entryOfBlock,
  entryOfSettled,
  findAuditHead,
  readAuditEnd,
  type AuditFiles,
} from './audit-log.js';
import { claimBatch, settleBatch } from './batches.js';
import { countBlocks, findBlockPage, findBlocks, readBlocks, readSources } from './block-rows.js';
import { ackOutcomes, claimOutcomes, hasOutcomes } from './cursors.js';
import { findCounts } from './counts.js';
import type { Database, Transaction } from './database.js';
import { findFreeze, freeze, unfreeze } from './frozen.js';
import { findHistory, recordDrift } from './history.js';
import { findEnding, markEndingSent } from './notices.js';
import { beginObserving, endObserving, findObserving } from './observing.js';
import { findOutcomes } from './outcomes.js';
import { findBeginning, findOverview, recordChore } from './overview.js';
import { findIncidents, recordIncidents } from './incident-records.js';
import { allow, disallow, findAllowances, recordResolved } from './allowances.js';
import { acquireLease, isLeaseHeld, releaseLease, renewLease, takeOverLease } from './leases.js';
import { loadStats } from './load-stats.js';
import {
  amendBlock,
  decideBlocks,
  expireBlocks,
  recheckBlocks,
  recordPackets,
  recordProofs,
  releaseBlocks,
} from './moves.js';
import {
  claimMessages,
  hasMessage,
  hasMessages,
  markSending,
  queueMessage,
  queueMessages,
  renewMessages,
  settleMessage,
} from './outbox.js';
import { purge } from './purge.js';
import { recordAlarms } from './record-alarms.js';
import {
  findAlarms,
  findLastRequested,
  findLatestAlarms,
  findOldestBlock,
  findRun,
  findRunsToKeep,
  findWork,
} from './records.js';
import {
  beginAsking,
  findAddressChanges,
  findSeen,
  markAddressChangeSent,
  recordAddresses,
  recordCaller,
  recordFacts,
} from './seen.js';
import { beginSession, endSession } from './sessions.js';
import * as links from './link-rows.js';
import * as people from './person-rows.js';
import { addToken, findToken, findTokens, revokeToken } from './token-rows.js';
import { beginWaiting, endWaiting } from './waiters.js';

/** A ledger in an SQL database. Each decision is also appended to the audit log, in the same transaction. */
export function makeSqlLedger(database: Database, audit?: AuditFiles, actor = 'firebreak'): Ledger {
  const decide: Decide = (work, entriesOf) =>
    database.write(async (tx) => {
      const result = await work(tx);
      if (audit !== undefined) await appendAudit(tx, audit, { by: actor, entries: entriesOf(result) });
      return result;
    });
  return {
    ...makeBlockStore(database, decide, actor),
    ...makeLeases(database, decide),
    ...makeOutbox(database),
    ...makeIncidents(database),
    ...makeAllowances(database, decide, actor),
    ...makeTokens(database, decide, actor),
    ...makePeople(database, decide, actor),
    ...makeDecisionLinks(database),
    ...makeAudit(database, decide),
    ...makeControl(database, decide, actor),
    as: (other) => makeSqlLedger(database, audit, other),
    close: () => database.close(),
  };
}

/** Runs one transaction, and appends the audit entries for its result. */
type Decide = <T>(work: (tx: Transaction) => Promise<T>, entriesOf: (result: T) => AuditEntry[]) => Promise<T>;

const entriesOf =
  (event: string) =>
  (blocks: readonly Block[]): AuditEntry[] =>
    blocks.map((block) => entryOfBlock(event, block));

/** So many blocks a transaction: an alarm does not wait for all. */
const packetsAtOnce = 500;

const makeBlockStore = (database: Database, decide: Decide, actor: string): BlockStore => ({
  recordAlarms: (alarms, options) =>
    decide(
      (tx) => recordAlarms(tx, alarms, options),
      (recorded) => entriesOfAlarms(alarms, recorded),
    ),
  release: (query, reason) => decide((tx) => releaseBlocks(tx, query, reason), entriesOf('release')),
  decide: (move, ids, reason = '') =>
    decide(
      (tx) => decideBlocks(tx, { move, by: actor, reason }, ids),
      (blocks) => blocks.map((block) => ({ ...entryOfBlock(move, block), ...(reason !== '' && { reason }) })),
    ),
  amend: (id, change) =>
    decide(
      (tx) => amendBlock(tx, id, change),
      (block) => [entryOfAmendment(change, block)],
    ),
  expire: ({ heldMs, keepAlarmsMs }) =>
    decide(async (tx) => {
      const blocks = await expireBlocks(tx, heldMs);
      await purge(tx, keepAlarmsMs);
      await recordChore(tx, 'expire');
      return blocks;
    }, entriesOf('expire')),
  recheck: (ids) => database.write((tx) => recheckBlocks(tx, ids)),
  recordProofs: (proofs, askedAt) => database.write((tx) => recordProofs(tx, proofs, askedAt)),
  recordPackets: async (counters) => {
    const all = [...counters];
    for (let at = 0; at < all.length; at += packetsAtOnce)
      await database.write((tx) => recordPackets(tx, all.slice(at, at + packetsAtOnce)));
  },
  findBlocks: (query) => findBlocks(database, query),
  readBlocks: (query) => readBlocks(database, query),
  readSources: (query) => readSources(database, query),
  findBlockPage: (query, page) => findBlockPage(database, query, page),
  countBlocks: (query) => countBlocks(database, query),
  findLastRequested: (origin) => findLastRequested(database, origin),
  findAlarms: (block) => findAlarms(database, block),
  findLatestAlarms: (limit, before) => findLatestAlarms(database, limit, before),
  loadStats: () => loadStats(database),
  findHistory: (since) => findHistory(database, since),
  findOverview: (firewalls) => findOverview(database, firewalls),
  findCounts: (since) => findCounts(database, since),
  findOutcomes: (query) => findOutcomes(database, query),
});

const makeLeases = (database: Database, decide: Decide): Leases => ({
  acquireLease: async (firewall, owner) =>
    (await isLeaseHeld(database, firewall))
      ? undefined
      : database.write((tx) => acquireLease(tx, firewall, { owner, process: processIdentity() })),
  takeOverLease: (firewall, owner) =>
    database.write((tx) => takeOverLease(tx, firewall, { owner, process: processIdentity() })),
  renewLease: (lease) => database.write((tx) => renewLease(tx, lease)),
  releaseLease: (lease, force = false) => database.write((tx) => releaseLease(tx, lease, force)),
  claimBatch: (lease, run, limit) => database.write((tx) => claimBatch(tx, lease, { run, limit })),
  settleBatch: (lease, ended) =>
    decide(
      (tx) => settleBatch(tx, lease, ended),
      (blocks) => blocks.map((block) => entryOfSettled(ended.id, block)),
    ),
  findWork: (firewall) => findWork(database, firewall),
  findRun: (id) => findRun(database, id),
  findRunsToKeep: (many) => findRunsToKeep(database, many),
});

const makeOutbox = (database: Database): Outbox => ({
  queueMessage: (message) => database.write((tx) => queueMessage(tx, message)),
  hasMessage: (id) => hasMessage(database, id),
  claimMessages: async (sender, forMs) =>
    (await hasMessages(database, sender)) ? database.write((tx) => claimMessages(tx, sender, forMs)) : [],
  markSending: (id, sender, forMs) => database.write((tx) => markSending(tx, { id, sender }, forMs)),
  renewMessages: (sender, forMs) => database.write((tx) => renewMessages(tx, sender, forMs)),
  settleMessage: (id, sender, ending) => database.write((tx) => settleMessage(tx, { id, sender }, ending)),
  claimOutcomes: async (cursor, sender, forMs) =>
    (await hasOutcomes(database, { cursor, sender }))
      ? database.write((tx) => claimOutcomes(tx, { cursor, sender }, forMs))
      : [],
  ackOutcomes: (cursor, sender, passed) => database.write((tx) => ackOutcomes(tx, { cursor, sender }, passed)),
});

const makeIncidents = (database: Database): Incidents => ({
  findIncidents: (firewall) => findIncidents(database, firewall),
  recordIncidents: (firewall, changes, messages) =>
    database.write(async (tx) => {
      await recordIncidents(tx, firewall, changes);
      await queueMessages(tx, messages);
    }),
  recordDrift: (firewall, differences) => database.write((tx) => recordDrift(tx, firewall, differences)),
  findSeen: () => findSeen(database),
  recordCaller: (address) => database.write((tx) => recordCaller(tx, address)),
  recordAddresses: (firewall, addresses) => database.write((tx) => recordAddresses(tx, firewall, addresses)),
  recordFacts: (firewall, facts) => database.write((tx) => recordFacts(tx, firewall, facts)),
  beginAsking: (firewall, everyMs) => database.write((tx) => beginAsking(tx, firewall, everyMs)),
  findAddressChanges: () => findAddressChanges(database),
  findEnding: (withinMs) => findEnding(database, withinMs),
  markEndingSent: (blocks, messages) => database.write((tx) => markEndingSent(tx, blocks, messages)),
  markAddressChangeSent: (firewall, messages) =>
    database.write(async (tx) => {
      await markAddressChangeSent(tx, firewall);
      await queueMessages(tx, messages);
    }),
});

const makeAllowances = (database: Database, decide: Decide, actor: string): Allowances => ({
  allow: (entry) =>
    decide(
      (tx) => allow(tx, entry, actor),
      () => {
        const { kind, address, firewall = '', durationMs, reason } = entry;
        return [{ event: kind, address, firewall, for_ms: durationMs, reason }];
      },
    ),
  disallow: (address) =>
    decide(
      (tx) => disallow(tx, address),
      (was) => (was ? [{ event: 'disallow', address }] : []),
    ),
  findAllowances: () => findAllowances(database),
  recordResolved: (address, resolved) => database.write((tx) => recordResolved(tx, address, resolved)),
});

const makeTokens = (database: Database, decide: Decide, actor: string): Tokens => ({
  addToken: (token) =>
    decide(
      (tx) => addToken(tx, token, actor),
      (wasAdded) => {
        const { name, scope, source, networks, durationMs } = token;
        return wasAdded ? [{ event: 'token add', name, scope, source, networks, for_ms: durationMs }] : [];
      },
    ),
  revokeToken: (name) =>
    decide(
      (tx) => revokeToken(tx, name),
      (wasThere) => (wasThere ? [{ event: 'token revoke', name }] : []),
    ),
  findTokens: () => findTokens(database),
  findToken: (hash) => findToken(database, hash),
});

const makePeople = (database: Database, decide: Decide, actor: string): People => ({
  addPerson: (person) =>
    decide(
      (tx) => people.addPerson(tx, person, actor),
      (wasAdded) => (wasAdded ? [{ event: 'user add', name: person.name, role: person.role }] : []),
    ),
  changePerson: (name, change) =>
    decide(
      (tx) => people.changePerson(tx, name, change),
      (wasThere) => [
        ...(wasThere && change.role !== undefined ? [{ event: 'user role', name, role: change.role }] : []),
        ...(wasThere && change.password !== undefined ? [{ event: 'user password', name }] : []),
      ],
    ),
  removePerson: (name) =>
    decide(
      (tx) => people.removePerson(tx, name),
      (wasThere) => (wasThere ? [{ event: 'user remove', name }] : []),
    ),
  findPeople: () => people.findPeople(database),
  findPerson: (name) => people.findPerson(database, name),
  addWebSession: (session) =>
    decide(
      (tx) => people.addWebSession(tx, session),
      () => [{ event: 'login', name: session.name, role: session.role, via: session.via, address: session.address }],
    ),
  findWebSession: (hash, idleMs) => people.findWebSession(database, hash, idleMs),
  findWebSessions: (name, idleMs) => people.findWebSessions(database, name, idleMs),
  touchWebSession: async (hash) => {
    await database.write((tx) => people.touchWebSession(tx, hash));
  },
  endWebSession: async ({ hash, name }) => {
    await decide(
      (tx) => people.endWebSession(tx, hash),
      (wasThere) => (wasThere ? [{ event: 'logout', name }] : []),
    );
  },
  endWebSessions: async (name, except) => {
    await decide(
      (tx) => people.endWebSessions(tx, name, except),
      (count) => (count > 0 ? [{ event: 'logout', name, sessions: count }] : []),
    );
  },
});

const makeDecisionLinks = (database: Database): DecisionLinks => ({
  addDecisionLink: (link) => database.write((tx) => links.addDecisionLink(tx, link)),
  findDecisionLink: (hash) => links.findDecisionLink(database, hash),
  takeDecisionLink: (hash) => database.write((tx) => links.takeDecisionLink(tx, hash)),
});

const makeAudit = (database: Database, decide: Decide): Audit => ({
  record: (entry) =>
    decide(
      () => Promise.resolve(),
      () => [entry],
    ),
  findAuditHead: () => findAuditHead(database),
  readAuditEnd: (measure) => readAuditEnd(database, measure),
  findOldestBlock: () => findOldestBlock(database),
});

const makeControl = (database: Database, decide: Decide, actor: string): Control => ({
  freeze: (reason, by) =>
    decide(
      (tx) => freeze(tx, reason, by),
      () => [{ event: 'freeze', reason }],
    ),
  unfreeze: () => decide(unfreeze, (wasFrozen) => (wasFrozen ? [{ event: 'unfreeze' }] : [])),
  findFreeze: () => findFreeze(database),
  beginObserving: (firewalls) =>
    decide(
      (tx) => beginObserving(tx, firewalls, actor),
      () => firewalls.map((firewall) => ({ event: 'observe on', firewall })),
    ),
  findObserving: () => findObserving(database),
  endObserving: (firewalls) =>
    decide(
      async (tx) => {
        await endObserving(tx, firewalls);
        return releaseBlocks(tx, { firewalls, states: ['observed'] }, `observe mode ended by ${actor}`);
      },
      () => firewalls.map((firewall) => ({ event: 'observe off', firewall })),
    ),
  beginWaiting: (id, max, forMs) => database.write((tx) => beginWaiting(tx, { id, max, forMs })),
  endWaiting: (id) => database.write((tx) => endWaiting(tx, id)),
  beginSession: (session) => database.write((tx) => beginSession(tx, session)),
  endSession: (session) => database.write((tx) => endSession(tx, session)),
  waitForChange: (timeoutMs) => database.waitForChange(timeoutMs),
  findBeginning: () => findBeginning(database),
  now: () => database.now(),
});
