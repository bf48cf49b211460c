import { stringify } from 'csv-stringify/sync';
import { shortId, type Block } from '../core/block.js';
import { isBypassed } from '../core/proof.js';
import { formatSpan } from '../core/duration.js';
import { toPrintableJson } from '../core/printable.js';
import { blockToJson } from './json.js';
import { beginTable, toTable } from './table.js';

interface Mark {
  mark: string;
  means: string;
  isOn: (block: Block) => boolean;
}

/** Behind the state of a block whose proof is not worth enough, and what it means. */
const marks: readonly Mark[] = [
  { mark: '!', means: 'the rule stands, but the packet is not stopped', isOn: isBypassed },
  { mark: '?', means: 'in force; not proven to decide', isOn: isDoubtful },
];

function isDoubtful({ state, proof }: Block): boolean {
  return state === 'active' && proof === 'listed';
}

const headings = ['STATE', 'SOURCE', 'DESTINATION', 'FIREWALL', 'SINCE', 'LEFT', 'ALARMS', 'ID'];
const right = new Set(['SINCE', 'LEFT', 'ALARMS']);

/** Blocks as a table; names the firewall only if there are several. @param width in columns */
export function toList(blocks: readonly Block[], now: number, width = 80): string {
  if (blocks.length === 0) return 'no blocks';
  const columns = chooseColumns(new Set(blocks.map(({ firewall }) => firewall)).size);
  const table = toTable(columns, toRows(blocks, columns, now), { right, width });
  return `${table}${legendOf(findMarks(blocks))}`;
}

const findMarks = (blocks: readonly Block[]): Mark[] => marks.filter(({ isOn }) => blocks.some(isOn));

/** Explains the marks below the table; empty without any. */
function legendOf(used: Iterable<Mark>): string {
  const lines = [...used].map(({ mark, means }) => `${mark} ${means}`);
  return lines.length === 0 ? '' : ['\n', ...lines, 'why: firebreak show ID'].join('\n');
}

/** The same page by page, for any number of blocks. @param read is called twice: to measure, and to write */
export async function* toListPages(
  read: () => AsyncIterable<Block[]>,
  now: number,
  width: number,
): AsyncGenerator<string, void, undefined> {
  const firewalls = new Set<string>();
  const used = new Set<Mark>();
  for await (const page of read()) {
    for (const { firewall } of page) firewalls.add(firewall);
    for (const mark of findMarks(page)) used.add(mark);
  }
  if (firewalls.size === 0) return yield 'no blocks\n';
  const columns = chooseColumns(firewalls.size);
  const table = beginTable(columns, { right, width });
  for await (const page of read()) table.measure(toRows(page, columns, now));
  yield `${table.render([columns])}\n`;
  for await (const page of read()) yield `${table.render(toRows(page, columns, now))}\n`;
  if (used.size > 0) yield `${legendOf(marks.filter((mark) => used.has(mark))).slice(1)}\n`;
}

const chooseColumns = (firewalls: number): string[] =>
  headings.filter((heading) => heading !== 'FIREWALL' || firewalls > 1);

const toRows = (blocks: readonly Block[], columns: readonly string[], now: number): string[][] =>
  blocks.map((block) => {
    const { flow, state, firewall, createdAt, alarms } = block;
    const service = flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`;
    const cells: Record<string, string> = {
      STATE: [state, ...marks.filter(({ isOn }) => isOn(block)).map(({ mark }) => mark)].join(' '),
      SOURCE: flow.source,
      DESTINATION: `${flow.destination} ${service}`,
      FIREWALL: firewall,
      SINCE: formatSpan(now - createdAt),
      LEFT: left(block, now),
      ALARMS: String(alarms),
      ID: shortId(block),
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
  ...['tracker', 'description', 'alarms', 'created_at', 'expires_at', 'reason', 'proof', 'warning'],
];
