import { readObserved } from '../../app/observed.js';
import type { Block } from '../../core/block.js';
import { toPrintable } from '../../core/printable.js';
import type { PageCall } from '../people/page-route.js';
import type { Reply } from '../route.js';
import { renderPage } from './html.js';

const spans: readonly { days: number; name: string }[] = [
  { days: 1, name: 'Last 24 hours' },
  { days: 7, name: 'Last 7 days' },
  { days: 30, name: 'Last 30 days' },
];

/** Further flows are counted, not listed. */
const maxListed = 200;

/** What observe mode would have blocked, and what of it would have hurt. */
export async function showObserved({ app, query, visitor }: PageCall): Promise<Reply> {
  const days = spans.find((each) => String(each.days) === query.get('days'))?.days ?? 7;
  const report = await readObserved((await app.ledger.now()) - days * 86_400_000, app);
  const lists = [
    { title: 'Sources in your own networks: these blocks would have hurt', blocks: report.own },
    { title: 'Refused by the policy: these are protected', blocks: report.refused },
    { title: 'Would have been blocked', blocks: report.observed },
  ];
  const context = {
    spans: spans.map((each) => ({ ...each, isCurrent: each.days === days })),
    observed: report.observed.length,
    repeated: report.repeated.length,
    lists: lists.filter(({ blocks }) => blocks.length > 0).map(toList),
  };
  return renderPage('observed', { context, frame: { title: 'Observed', nav: '/observed', visitor }, app });
}

const toList = ({ title, blocks }: { title: string; blocks: readonly Block[] }): object => ({
  title,
  rows: [...blocks]
    .sort((one, other) => other.alarms - one.alarms)
    .slice(0, maxListed)
    .map(({ id, flow, firewall, alarms, reason, state }) => ({
      ...{ id, firewall, alarms, source: flow.source },
      destination: `${flow.destination} ${flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`}`,
      why: state === 'refused' ? toPrintable(reason ?? '') : '',
    })),
  more: Math.max(0, blocks.length - maxListed),
});
