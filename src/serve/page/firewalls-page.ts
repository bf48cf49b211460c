import { readStatus, type FirewallStatus, type Status } from '../../app/status.js';
import { formatWithUtc } from '../../core/local-time.js';
import { toPrintable } from '../../core/printable.js';
import { describeCause } from '../../platforms/causes.js';
import { formatTaken } from '../../views/stats-slots.js';
import type { PageCall } from '../people/page-route.js';
import type { Reply } from '../route.js';
import { renderPage } from './html.js';
import { ago } from './page-time.js';

/** `firebreak expire` runs each minute; without it for this long, blocks end late. */
const expireLateMs = 5 * 60_000;

/** The state of each firewall and of what Firebreak does besides, as `firebreak status` prints it. */
export async function showFirewalls({ app, visitor }: PageCall): Promise<Reply> {
  const status = await readStatus(app);
  const context = {
    host: status.host,
    firewalls: status.firewalls.map((each) => toCard(each, status.now)),
    alarm: ago(status.lastAlarmAt, status.now),
    expire: ago(status.lastExpireAt, status.now),
    isExpireLate: status.lastExpireAt === null || status.now - status.lastExpireAt > expireLateMs,
    messages: describeMessages(status.messages),
  };
  return renderPage('firewalls', { context, frame: { title: 'Firewalls', nav: '/firewalls', visitor }, app });
}

function toCard({ name, blocks, incidents, lastRun, lastProofAt, isObserving }: FirewallStatus, now: number): object {
  const count = (label: string, value: number, state: string) => ({
    ...{ label, value },
    href: `/?${new URLSearchParams({ firewall: name, state }).toString()}`,
  });
  return {
    name,
    health: toHealth({ incidents, isObserving }),
    incidents: incidents.map(({ cause, beganAt }) => ({
      text: toPrintable(describeCause(cause)),
      since: formatWithUtc(beganAt),
    })),
    counts: [
      count('in force', blocks.active, 'active'),
      count('in progress', blocks.underWay, 'pending'),
      count('held', blocks.held, 'held'),
      count('given up', blocks.givenUp, 'failed'),
    ],
    bypassed: blocks.bypassed,
    run: lastRun === null ? null : { began: ago(lastRun.startedAt, now), took: tookOf(lastRun), batch: lastRun.batch },
    proof: ago(lastProofAt, now),
  };
}

const tookOf = ({ ms }: { ms: number | null }): string => (ms === null ? 'in progress' : `took ${formatTaken(ms)}`);

function toHealth({ incidents, isObserving }: Pick<FirewallStatus, 'incidents' | 'isObserving'>): object {
  if (incidents.length > 0) return { tone: 'bad', shape: '▲', word: 'needs attention' };
  if (isObserving) return { tone: 'calm', shape: '○', word: 'observes only' };
  return { tone: 'good', shape: '●', word: 'ok' };
}

function describeMessages({ waiting, failing }: Status['messages']): string {
  if (waiting === 0) return 'none to be sent';
  return `${waiting} to be sent${failing === 0 ? '' : `, ${failing} of them refused so far`}`;
}
