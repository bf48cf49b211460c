import { stringify } from 'csv-stringify/sync';
import type { Block } from '../core/block.js';
import { formatSpan } from '../core/duration.js';
import { toPrintableJson } from '../core/printable.js';
import { blockToJson } from './json.js';
import { beginTable, toTable } from './table.js';

/** The end of an id that is enough to type. */
const idLength = 6;

const headings = ['STATE', 'SOURCE', 'DESTINATION', 'FIREWALL', 'SINCE', 'LEFT', 'ALARMS', 'ID'];
const right = new Set(['SINCE', 'LEFT', 'ALARMS']);

/** Blocks as a table; names the firewall only if there are several. @param width in columns */
export function toList(blocks: readonly Block[], now: number, width = 80): string {
  if (blocks.length === 0) return 'no blocks';
  const columns = chooseColumns(new Set(blocks.map(({ firewall }) => firewall)).size);
  return toTable(columns, toRows(blocks, columns, now), { right, width });
}

/** The same page by page, for any number of blocks. @param read is called twice: to measure, and to write */
export async function* toListPages(
  read: () => AsyncIterable<Block[]>,
  now: number,
  width: number,
): AsyncGenerator<string, void, undefined> {
  const firewalls = new Set<string>();
  for await (const page of read()) for (const { firewall } of page) firewalls.add(firewall);
  if (firewalls.size === 0) return yield 'no blocks\n';
  const columns = chooseColumns(firewalls.size);
  const table = beginTable(columns, { right, width });
  for await (const page of read()) table.measure(toRows(page, columns, now));
  yield `${table.render([columns])}\n`;
  for await (const page of read()) yield `${table.render(toRows(page, columns, now))}\n`;
}

const chooseColumns = (firewalls: number): string[] =>
  headings.filter((heading) => heading !== 'FIREWALL' || firewalls > 1);

const toRows = (blocks: readonly Block[], columns: readonly string[], now: number): string[][] =>
  blocks.map((block) => {
    const { flow, state, firewall, createdAt, alarms, id } = block;
    const service = flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`;
    const cells: Record<string, string> = {
      STATE: state,
      SOURCE: flow.source,
      DESTINATION: `${flow.destination} ${service}`,
      FIREWALL: firewall,
      SINCE: formatSpan(now - createdAt),
      LEFT: left(block, now),
      ALARMS: String(alarms),
      ID: id.slice(-idLength),
    };
    return columns.map((column) => cells[column] ?? '');
  });

function left({ expiresAt, state }: Block, now: number): string {
  if (state === 'released' || state === 'refused' || state === 'releasing') return '-';
  return expiresAt === null ? 'forever' : formatSpan(expiresAt - now);
}

/** Blocks as CSV: the fields of the JSON, one block per line. */
export async function* toCsvPages(pages: AsyncIterable<Block[]>): AsyncGenerator<string, void, undefined> {
  yield stringify([csvColumns]);
  for await (const page of pages)
    yield stringify(page.map(blockToJson), { columns: csvColumns, cast: { boolean: String } });
}

/** Blocks as one JSON document. */
export async function* toJsonPages(pages: AsyncIterable<Block[]>): AsyncGenerator<string, void, undefined> {
  yield '{"blocks":[';
  let separator = '';
  for await (const page of pages) {
    yield separator + page.map((block) => toPrintableJson(blockToJson(block))).join(',');
    separator = ',';
  }
  yield ']}\n';
}

const csvColumns = [
  ...['id', 'firewall', 'state', 'source', 'destination', 'port', 'protocol', 'interface', 'type', 'ipprotocol'],
  ...['tracker', 'description', 'alarms', 'created_at', 'expires_at', 'reason'],
];
