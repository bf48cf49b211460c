import { readLastEntries } from '../../app/verify-audit.js';
import { formatLocal, formatWithUtc } from '../../core/local-time.js';
import { toPrintable } from '../../core/printable.js';
import { formatNumber } from '../../views/count.js';
import type { PageCall } from '../people/page-route.js';
import type { Reply } from '../route.js';
import { renderPage } from './html.js';

/** How many of the latest entries are read; the whole log may be hundreds of megabytes. */
const maxEntries = 20_000;
const pageSize = 100;

type Entry = Readonly<Record<string, unknown>>;

/** Decisions, the latest first: what, about what, who, and why. */
export async function showAudit({ app, query, visitor }: PageCall): Promise<Reply> {
  const text = (query.get('q') ?? '').trim();
  const before = /^[1-9]\d{0,14}$/.test(query.get('before') ?? '') ? Number(query.get('before')) : Infinity;
  const wanted = text.toLowerCase();
  const entries = await readLastEntries(maxEntries, [], app);
  const found = entries
    .filter((entry) => seqOf(entry) < before && (wanted === '' || wordsOf(entry).includes(wanted)))
    .slice(-pageSize - 1);
  const shown = found.slice(-pageSize).reverse();
  const head = await app.ledger.findAuditHead();
  const link = (changes: Record<string, string>): string =>
    `/audit?${new URLSearchParams({ ...(text !== '' && { q: text }), ...changes }).toString()}`;
  const context = {
    text,
    head: head === undefined ? null : `${head.seq}:${head.hash.slice(0, 12)}`,
    maxEntries: formatNumber(maxEntries),
    entries: shown.map(toRow),
    older: found.length > pageSize ? link({ before: String(seqOf(shown.at(-1) ?? {})) }) : null,
    newest: before === Infinity ? null : link({}),
  };
  return renderPage('audit', { context, frame: { title: 'Audit', nav: '/audit', visitor }, app });
}

const textOf = (value: unknown): string => (typeof value === 'string' ? toPrintable(value) : '');

const seqOf = ({ seq }: Entry): number => (typeof seq === 'number' ? seq : 0);

const wordsOf = (entry: Entry): string =>
  Object.values(entry)
    .filter((value) => typeof value === 'string')
    .join('\n')
    .toLowerCase();

function toRow(entry: Entry): object {
  const of = (field: string): string => textOf(entry[field]);
  const ms = Date.parse(of('at'));
  const isTime = !Number.isNaN(ms);
  return {
    seq: seqOf(entry),
    at: isTime ? formatLocal(ms).slice(0, 19) : of('at'),
    title: isTime ? formatWithUtc(ms) : '',
    event: [of('event'), of('state')].filter(Boolean).join(', '),
    firewall: of('firewall'),
    about:
      of('flow')
        .replace(/^block /, '')
        .replace(' -> ', ' → ') ||
      of('address') ||
      of('name') ||
      of('command'),
    block: /^[0-9A-Za-z]{26}$/.test(of('block')) ? of('block') : null,
    by: of('by') || 'unknown',
    reason: of('reason'),
  };
}
