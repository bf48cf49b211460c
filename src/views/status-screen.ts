import type { FeedState } from '../config/feed-state.js';
import { formatSpan } from '../core/duration.js';
import { formatShort } from '../core/local-time.js';
import type { OpenIncident } from '../core/incident.js';
import type { FirewallOverview, Overview } from '../core/stats.js';
import { describeCause } from '../platforms/causes.js';
import { count } from './count.js';
import { toTime } from './json.js';
import { toTable } from './table.js';

interface FirewallStatus extends FirewallOverview {
  incidents: readonly OpenIncident[];
  isObserving: boolean;
}

interface Status extends Omit<Overview, 'firewalls'> {
  host: string;
  now: number;
  freeze: { at: number; by: string; reason: string } | undefined;
  firewalls: readonly FirewallStatus[];
  feed?: FeedState | undefined;
}

/** `firebreak expire` runs each minute; without it for this long, blocks end late. */
const expireLateMs = 5 * 60_000;

const headings = ['FIREWALL', 'NOW', 'IN FORCE', 'WAITING', 'HELD', 'LAST RUN', 'LAST PROOF'];

/** The state of everything on one screen, worst news first. @param width in columns */
export function statusToText(status: Status, width: number): string {
  const { now, firewalls, freeze, feed, lastAlarmAt, lastExpireAt, messages } = status;
  const rows = firewalls.map(({ name, blocks, incidents, lastRun, lastProofAt, ...firewall }) => [
    name,
    [
      ...(firewall.isObserving ? ['observes only'] : incidents.length === 0 ? ['ok'] : []),
      ...incidents.map((each) => describeIncident(each, now)),
    ].join('; '),
    String(blocks.active),
    String(blocks.underWay + blocks.givenUp),
    String(blocks.held),
    ago(lastRun?.startedAt ?? null, now),
    ago(lastProofAt, now),
  ]);
  const right = new Set(headings.slice(2));
  const facts: [string, string][] = [
    ['last alarm', ago(lastAlarmAt, now)],
    ['last expire', describeExpire(lastExpireAt, now)],
    ['messages', describeMessages(messages)],
    ...(feed === undefined ? [] : [['CrowdSec', describeFeed(feed, now)] satisfies [string, string]]),
  ];
  return [
    freeze === undefined ? [] : [describeFreeze(freeze, now), ''],
    toTable(headings, rows, { right, width }),
    '',
    facts.map(([name, text]) => `${name.padEnd(12)} ${text}`),
  ]
    .flat()
    .join('\n');
}

const describeFreeze = ({ at, by, reason }: { at: number; by: string; reason: string }, now: number): string =>
  `FROZEN since ${formatShort(at, now)} by ${by}${reason === '' ? '' : ` (${reason})`}: nothing changes on any firewall`;

const describeIncident = ({ cause, beganAt }: OpenIncident, now: number): string =>
  `${describeCause(cause)} since ${formatShort(beganAt, now)}`;

function describeExpire(at: number | null, now: number): string {
  if (at === null) return 'never: nothing runs firebreak expire, so blocks end late (see firebreak doctor)';
  return now - at > expireLateMs ? `${ago(at, now)}: it should run each minute (see firebreak doctor)` : ago(at, now);
}

function describeMessages({ waiting, failing }: Status['messages']): string {
  if (waiting === 0) return 'none waits to be sent';
  return `${count(waiting, 'message')} to be sent${failing === 0 ? '' : `, ${failing} of them refused so far`}`;
}

function describeFeed({ last_success_at: at, failing_since: since, message }: FeedState, now: number): string {
  const last = at === null ? 'never requested: firebreak serve requests it' : `last requested ${ago(at, now)}`;
  return since === null ? last : `unreachable since ${formatShort(since, now)}: ${message ?? ''}; its blocks stay`;
}

const ago = (at: number | null, now: number): string => (at === null ? 'never' : `${formatSpan(now - at)} ago`);

export const statusToJson = (status: Status): object => ({
  host: status.host,
  at: toTime(status.now),
  frozen:
    status.freeze === undefined
      ? null
      : { at: toTime(status.freeze.at), by: status.freeze.by, reason: status.freeze.reason },
  firewalls: status.firewalls.map(({ name, blocks, incidents, lastRun, lastProofAt, isObserving }) => ({
    name,
    observes: isObserving,
    active: blocks.active,
    under_way: blocks.underWay,
    failing: blocks.failing,
    given_up: blocks.givenUp,
    held: blocks.held,
    incidents: incidents.map(({ cause, beganAt }) => ({ cause, since: toTime(beganAt) })),
    last_run:
      lastRun === null
        ? null
        : { id: lastRun.id, started_at: toTime(lastRun.startedAt), ms: lastRun.ms, batch: lastRun.batch },
    last_proof_at: toTime(lastProofAt),
  })),
  last_alarm_at: toTime(status.lastAlarmAt),
  last_expire_at: toTime(status.lastExpireAt),
  messages: status.messages,
  ...(status.feed !== undefined && { feeds: { crowdsec: feedToJson(status.feed) } }),
});

const feedToJson = ({ last_success_at, failing_since, message }: FeedState): object => ({
  last_success_at: toTime(last_success_at),
  failing_since: toTime(failing_since),
  message,
});
