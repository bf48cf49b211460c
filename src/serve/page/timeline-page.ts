import { outcomeKinds, type OutcomeKind } from '../../core/outcome.js';
import { parseAddress } from '../../core/address.js';
import { shortId } from '../../core/block.js';
import { toPrintable } from '../../core/printable.js';
import type { History, OutcomeRecord } from '../../core/stats.js';
import type { App } from '../../runtime/app.js';
import { drawBars, placeLabels } from '../../views/chart.js';
import { findSlotSize, formatTaken, nameSlot, toSlots, type SlotKind } from '../../views/stats-slots.js';
import type { PageCall } from '../people/page-route.js';
import type { Reply } from '../route.js';
import { renderPage } from './html.js';
import { exactly } from './page-time.js';

const spans: Readonly<Record<string, { name: string; ms: number }>> = {
  day: { name: 'Last 24 hours', ms: 86_400_000 },
  month: { name: 'Last 30 days', ms: 30 * 86_400_000 },
};

const pageSize = 100;

/** Each kind has a chart of its own, so that two failures are visible beside a thousand proofs. */
const charts: readonly { kind: SlotKind; title: string }[] = [
  { kind: 'received', title: 'Alarms' },
  { kind: 'proven', title: 'Proofs' },
  { kind: 'failed', title: 'Failures' },
  { kind: 'held', title: 'Held' },
];

/** What happened in a day or in 30 days, as charts, and below the events themselves. */
export async function showTimeline({ app, query, visitor }: PageCall): Promise<Reply> {
  const key = query.get('span') === 'month' ? 'month' : 'day';
  const span = spans[key] ?? { name: '', ms: 0 };
  const history = await app.ledger.findHistory((await app.ledger.now()) - span.ms);
  const filter = readFilter(query, app);
  const events = await findEvents(filter, history.since, app);
  const shown = events.slice(-pageSize).reverse();
  const to = (changes: Record<string, string>): string => linkTo({ ...toQuery(filter, key), ...changes });
  const context = {
    here: to({ before: filter.before === undefined ? '' : String(filter.before) }),
    spans: Object.entries(spans).map(([name, each]) => ({
      name: each.name,
      href: to({ span: name }),
      isCurrent: name === key,
    })),
    spanKey: key,
    charts: charts.map((chart) => toChart(chart, history)),
    source: filter.source ?? '',
    firewalls: toOptions(Object.keys(app.config.firewalls), filter.firewall),
    kinds: toOptions(outcomeKinds, filter.kind),
    events: shown.map(toEvent),
    older: events.length > pageSize ? to({ before: String(shown.at(-1)?.seq ?? 0) }) : null,
    newest: filter.before === undefined ? null : to({}),
  };
  return renderPage('timeline', { context, frame: { title: 'Timeline', nav: '/timeline', visitor }, app });
}

interface Filter {
  source: string | undefined;
  firewall: string | undefined;
  kind: OutcomeKind | undefined;
  before: number | undefined;
}

/** Unknown values are ignored: they come from an address that a person may have typed. */
function readFilter(query: URLSearchParams, { config }: App): Filter {
  const address = parseAddress((query.get('source') ?? '').trim());
  const firewall = query.get('firewall') ?? '';
  const before = query.get('before') ?? '';
  return {
    source: address.ok ? address.address.text : undefined,
    firewall: Object.hasOwn(config.firewalls, firewall) ? firewall : undefined,
    kind: outcomeKinds.find((each) => each === query.get('kind')),
    before: /^[1-9]\d{0,14}$/.test(before) ? Number(before) : undefined,
  };
}

const findEvents = ({ source, firewall, kind, before }: Filter, since: number, { ledger }: App) =>
  ledger.findOutcomes({
    ...{ since, source, limit: pageSize + 1 },
    ...(before !== undefined && { before }),
    firewalls: firewall === undefined ? undefined : [firewall],
    kinds: kind === undefined ? undefined : [kind],
  });

const toQuery = ({ source = '', firewall = '', kind }: Filter, span: string): Record<string, string> => ({
  ...{ span, source, firewall, kind: kind ?? '' },
});

const linkTo = (query: Record<string, string>): string =>
  `/timeline?${new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString()}`;

const toOptions = (names: readonly string[], selected: string | undefined): object[] =>
  names.map((name) => ({ name, isSelected: name === selected }));

function toChart({ kind, title }: { kind: SlotKind; title: string }, history: History): object {
  const size = findSlotSize(history);
  const slots = toSlots(history).map((slot) => ({ ...slot, name: nameSlot(slot, size) }));
  const name = (text: string): string => (size === 'hour' ? text.slice(6) : text.slice(5));
  return {
    ...{ kind, title, size, total: kind === 'received' ? history.alarms : history.outcomes[kind] },
    ...drawBars(slots, [kind]),
    labels: placeLabels(slots.map((slot) => name(slot.name))),
  };
}

const toEvent = ({ seq, at, kind, ms, reason, block }: OutcomeRecord): object => ({
  seq,
  at: exactly(at),
  kind,
  source: block.flow.source,
  destination: `${block.flow.destination} ${block.flow.port === '' ? block.flow.protocol : `${block.flow.protocol}/${block.flow.port}`}`,
  firewall: block.firewall,
  id: block.id,
  short: shortId(block),
  why: kind === 'proven' ? `after ${formatTaken(ms)}` : toPrintable(reason ?? ''),
});
