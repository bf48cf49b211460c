import { stringify } from 'csv-stringify/sync';
import { shortId, type Block, type BlockState } from '../core/block.js';
import { isBypassed } from '../core/proof.js';
import { formatSpan } from '../core/duration.js';
import { formatDay } from '../core/local-time.js';
import { toPrintable, toPrintableJson } from '../core/printable.js';
import { blockToJson } from './json.js';
import { beginTable, wrapText } from './table.js';

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

const hasTags = ({ tags }: Block): boolean => tags.length > 0;

const headings = ['STATE', 'SOURCE', 'DESTINATION', 'FIREWALL', 'SINCE', 'END', 'ALARMS', 'ID', 'TAGS', 'DESCRIPTION'];
const right = new Set(['SINCE', 'END', 'ALARMS']);

/** What a narrow terminal does without. */
const optional = ['DESCRIPTION', 'TAGS', 'ALARMS', 'SINCE'];

export interface ListLayout {
  now: number;
  /** In columns. */
  width?: number;
  colour?: boolean;
}

/** Blocks as a table, one row for a flow; names the firewalls only if there are several. All of it is printable. */
export function toList(blocks: readonly Block[], { now, width = 80, colour = false }: ListLayout): string {
  if (blocks.length === 0) return 'no blocks';
  const table = beginTable(headings, { right, width, optional });
  const rows = makeRows(now);
  const all = [...rows.add(blocks), ...rows.end()];
  table.measure(all.map(toCells));
  if (new Set(blocks.map(({ firewall }) => firewall)).size === 1) table.drop('FIREWALL');
  if (!blocks.some(hasTags)) table.drop('TAGS');
  const lines = all.map((row) => renderRow(row, { table, width, colour }));
  return [table.render([headings]), ...lines].join('\n') + legendOf(findMarks(blocks));
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
  { now, width = 80, colour = false }: ListLayout,
): AsyncGenerator<string, void, undefined> {
  const firewalls = new Set<string>();
  const used = new Set<Mark>();
  const table = beginTable(headings, { right, width, optional });
  const rows = makeRows(now);
  let isTagged = false;
  const measure = (complete: readonly ListRow[]): void => table.measure(complete.map(toCells));
  for await (const page of read()) {
    for (const { firewall } of page) firewalls.add(firewall);
    isTagged ||= page.some(hasTags);
    for (const mark of findMarks(page)) used.add(mark);
    measure(rows.add(page));
  }
  measure(rows.end());
  if (firewalls.size === 0) return yield 'no blocks\n';
  if (firewalls.size === 1) table.drop('FIREWALL');
  if (!isTagged) table.drop('TAGS');
  yield `${table.render([headings])}\n`;
  for await (const complete of readRows(read(), now)) {
    yield complete.map((row) => `${renderRow(row, { table, width, colour })}\n`).join('');
  }
  if (used.size > 0) yield `${legendOf(marks.filter((mark) => used.has(mark))).slice(1)}\n`;
}

/** One row: a flow with the firewalls where it has the same state, end and reason. */
interface ListRow {
  state: BlockState;
  cells: Readonly<Record<string, string>>;
  reason: string | null;
  firewalls: readonly string[];
  id: string;
}

async function* readRows(pages: AsyncIterable<Block[]>, now: number): AsyncGenerator<ListRow[], void, undefined> {
  const rows = makeRows(now);
  for await (const page of pages) yield rows.add(page);
  yield rows.end();
}

/** Joins the blocks of one flow that follow each other, on any number of pages. */
function makeRows(now: number) {
  let open: ListRow | undefined;
  return {
    /** The rows that are complete. */
    add: (blocks: readonly Block[]): ListRow[] =>
      blocks.flatMap((block) => {
        const row = toRow(block, now);
        const joined = open && joinRows(open, row);
        const complete = joined === undefined ? open : undefined;
        open = joined ?? row;
        return complete ?? [];
      }),
    end: (): ListRow[] => (open === undefined ? [] : [open]),
  };
}

function joinRows(one: ListRow, other: ListRow): ListRow | undefined {
  const isSame =
    one.reason === other.reason &&
    !other.firewalls.some((name) => one.firewalls.includes(name)) &&
    Object.entries(one.cells).every(([heading, cell]) => other.cells[heading] === cell);
  return isSame ? { ...one, firewalls: [...one.firewalls, ...other.firewalls] } : undefined;
}

function toRow(block: Block, now: number): ListRow {
  const { flow, state, firewall, createdAt, alarms, reason, description, tags } = block;
  const service = flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`;
  const cells = {
    STATE: [state, ...marks.filter(({ isOn }) => isOn(block)).map(({ mark }) => mark)].join(' '),
    SOURCE: flow.source,
    DESTINATION: `${flow.destination} ${service}`,
    SINCE: formatSpan(now - createdAt),
    END: describeEnd(block, now),
    ALARMS: String(alarms),
    TAGS: tags.join(' '),
    DESCRIPTION: description,
  };
  return { state, cells, reason, firewalls: [firewall], id: shortId(block) };
}

const toCells = ({ cells, firewalls, id }: ListRow): string[] => {
  const others = firewalls.length > 1 ? ` +${firewalls.length - 1}` : '';
  const all: Record<string, string> = { ...cells, FIREWALL: firewalls.join(' '), ID: `${id}${others}` };
  return headings.map((heading) => all[heading] ?? '');
};

interface RowLayout {
  table: ReturnType<typeof beginTable>;
  width: number;
  colour: boolean;
}

/** A row with the reason of its state below it, if it has one. */
function renderRow(row: ListRow, { table, width, colour }: RowLayout): string {
  const text = toPrintable(table.render([toCells(row)]));
  const why = row.reason === null ? [] : wrapText(toPrintable(row.reason), Math.max(20, width - 4));
  const painted = colour ? `\u001b[${colours[row.state]}m${row.state}\u001b[0m${text.slice(row.state.length)}` : text;
  return [painted, ...why.map((line) => `    ${line}`)].join('\n');
}

const colours: Record<BlockState, number> = {
  active: 32,
  observed: 36,
  ...{ held: 33, pending: 33, releasing: 33 },
  ...{ failed: 31, released: 90, refused: 90 },
};

function describeEnd({ expiresAt, state }: Block, now: number): string {
  if (state === 'released' || state === 'refused' || state === 'releasing') return '-';
  return expiresAt === null ? 'forever' : formatDay(expiresAt, now);
}

/** Blocks as CSV: the fields of the JSON, one block per line. */
export async function* toCsvPages(pages: AsyncIterable<Block[]>): AsyncGenerator<string, void, undefined> {
  yield stringify([csvColumns]);
  for await (const page of pages)
    yield stringify(
      page.map((block) => ({ ...blockToJson(block), tags: block.tags.join(' ') })),
      { columns: csvColumns, cast: { boolean: String } },
    );
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
  ...['tracker', 'description', 'alarms', 'created_at', 'expires_at', 'reason', 'proof', 'warning', 'tags'],
  ...['packets', 'packets_at'],
];
