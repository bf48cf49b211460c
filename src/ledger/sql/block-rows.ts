import type { Block, BlockState, FailureKind, ProofLevel } from '../../core/block.js';
import type { Family, Flow, Protocol, RuleType } from '../../core/flow.js';
import type { BlockPage, BlockQuery, ListedBlock } from '../ledger.js';
import { countRows, findRow, type Row, type Statements, type Transaction, type Value } from './database.js';

const columnsOf = (block: Block): Row => ({
  id: block.id,
  firewall: block.firewall,
  type: block.flow.type,
  interface: block.flow.interface,
  ipprotocol: block.flow.ipprotocol,
  protocol: block.flow.protocol,
  source: block.flow.source,
  destination: block.flow.destination,
  port: block.flow.port,
  tracker: block.tracker,
  description: block.description,
  state: block.state,
  wanted: block.desired,
  revision: block.revision,
  carried: block.claimedRevision,
  tried: block.doneRevision,
  changed: Number(block.changed),
  alarms: block.alarms,
  created_at: block.createdAt,
  asked_at: block.requestedAt,
  updated_at: block.updatedAt,
  expires_at: block.expiresAt,
  proven_at: block.provenAt,
  proof: block.proof,
  proof_message: block.proofMessage,
  packets: block.packets,
  packets_at: block.packetsAt,
  due_at: block.dueAt,
  failures: block.failures,
  failing_since: block.failingSince,
  trouble: block.failure,
  code: block.failureCode,
  reason: block.reason,
  run: block.run,
  override: block.override,
  comment: block.comment,
  tags: JSON.stringify(block.tags),
});

/** The casts rely on the schema and on `columnsOf`: nothing else writes these columns. */
export function toBlock(row: Row): Block {
  return {
    id: String(row['id']),
    firewall: String(row['firewall']),
    flow: toFlow(row),
    tracker: Number(row['tracker']),
    description: String(row['description']),
    state: row['state'] as BlockState,
    desired: row['wanted'] as Block['desired'],
    revision: Number(row['revision']),
    claimedRevision: Number(row['carried']),
    doneRevision: Number(row['tried']),
    changed: row['changed'] === 1,
    alarms: Number(row['alarms']),
    createdAt: Number(row['created_at']),
    requestedAt: Number(row['asked_at']),
    updatedAt: Number(row['updated_at']),
    expiresAt: row['expires_at'] as number | null,
    provenAt: row['proven_at'] as number | null,
    proof: row['proof'] as ProofLevel | null,
    proofMessage: row['proof_message'] as string | null,
    packets: Number(row['packets']),
    packetsAt: row['packets_at'] as number | null,
    dueAt: row['due_at'] as number | null,
    failures: Number(row['failures']),
    failingSince: row['failing_since'] as number | null,
    failure: row['trouble'] as FailureKind | null,
    failureCode: row['code'] as string | null,
    reason: row['reason'] as string | null,
    run: row['run'] as string | null,
    override: row['override'] as string | null,
    comment: row['comment'] as string | null,
    tags: toTags(row['tags']),
  };
}

/** Most blocks have none. */
const noTags: readonly string[] = [];

const toTags = (text: Value | undefined): readonly string[] =>
  text === '[]' ? noTags : (JSON.parse(String(text)) as string[]); // as columnsOf wrote it

const toFlow = (row: Row): Flow => ({
  type: row['type'] as RuleType,
  interface: String(row['interface']),
  ipprotocol: row['ipprotocol'] as Family,
  protocol: row['protocol'] as Protocol,
  source: String(row['source']),
  destination: String(row['destination']),
  port: String(row['port']),
});

export async function insertBlock(tx: Transaction, block: Block): Promise<void> {
  const row = columnsOf(block);
  const names = Object.keys(row);
  const marks = names.map(() => '?').join(', ');
  await tx.run(`INSERT INTO block (${names.join(', ')}) VALUES (${marks})`, ...Object.values(row));
}

/** Writes the columns that transitions may change: the flow and its tracker never do, the packets by a query only. */
export async function updateBlock(tx: Transaction, block: Block): Promise<void> {
  await tx.run(
    `UPDATE block SET state = ?, wanted = ?, revision = ?, carried = ?, tried = ?, changed = ?, alarms = ?,
       asked_at = ?, updated_at = ?, expires_at = ?, proven_at = ?, due_at = ?, failures = ?, failing_since = ?, trouble = ?,
       code = ?, reason = ?, run = ?, override = ?, comment = ?, tags = ?, proof = ?, proof_message = ?
     WHERE id = ?`,
    ...[
      block.state,
      block.desired,
      block.revision,
      block.claimedRevision,
      block.doneRevision,
      Number(block.changed),
      block.alarms,
    ],
    ...[
      block.requestedAt,
      block.updatedAt,
      block.expiresAt,
      block.provenAt,
      block.dueAt,
      block.failures,
      block.failingSince,
    ],
    ...[block.failure, block.failureCode, block.reason, block.run, block.override, block.comment],
    JSON.stringify(block.tags),
    ...[block.proof, block.proofMessage, block.id],
  );
}

export async function findBlocks(db: Statements, query: BlockQuery): Promise<Block[]> {
  const { where, values } = toWhere(query);
  return (await db.all(`SELECT * FROM block ${where} ORDER BY created_at, seq`, ...values)).map(toBlock);
}

/** How many blocks a page has. */
const pageSize = 200;

export async function* readBlocks(db: Statements, query: BlockQuery): AsyncGenerator<Block[], void, undefined> {
  const { where, values } = toWhere(query);
  const page = `SELECT * FROM block ${where === '' ? 'WHERE' : `${where} AND`} seq > ? ORDER BY seq LIMIT ?`;
  for (let after = 0, isFull = true; isFull;) {
    const rows = await db.all(page, ...values, after, pageSize);
    if (rows.length > 0) yield rows.map(toBlock);
    after = Number(rows.at(-1)?.['seq']);
    isFull = rows.length === pageSize;
  }
}

/** How many sources a page has: they are much smaller than blocks. */
const sourcePageSize = 2000;

export async function* readSources(db: Statements, query: BlockQuery): AsyncGenerator<string[], void, undefined> {
  const { where, values } = toWhere(query);
  // In the order of an index, so that a page does not read what follows it.
  const page = `SELECT DISTINCT source FROM block INDEXED BY block_of_source
    ${where === '' ? 'WHERE' : `${where} AND`} source > ? ORDER BY source LIMIT ?`;
  for (let after = '', isFull = true; isFull;) {
    const sources = (await db.all(page, ...values, after, sourcePageSize)).map((row) => String(row['source']));
    if (sources.length > 0) yield sources;
    after = sources.at(-1) ?? '';
    isFull = sources.length === sourcePageSize;
  }
}

/** What each order sorts by, and its direction; blocks without an end are the last. */
const orders = {
  newest: { by: 'created_at', compare: '<', direction: 'DESC' },
  end: { by: 'ifnull(expires_at, 9e15)', compare: '>', direction: 'ASC' },
} as const;

const firstOrigin = `(SELECT origin FROM alarm WHERE id =
  (SELECT min(alarm) FROM alarm_block WHERE block = block.id)) AS origin`;

export async function findBlockPage(
  db: Statements,
  query: BlockQuery,
  { order, limit, from }: BlockPage,
): Promise<ListedBlock[]> {
  const { by, compare, direction } = orders[order];
  const { where, values } = toWhere(query);
  const after = `(${by}, seq) ${compare} (SELECT ${by}, seq FROM block WHERE id = ?)`;
  const terms = from === undefined ? where : where === '' ? `WHERE ${after}` : `${where} AND ${after}`;
  const rows = await db.all(
    `SELECT *, ${firstOrigin} FROM block ${terms} ORDER BY ${by} ${direction}, seq ${direction} LIMIT ?`,
    ...[...values, ...(from === undefined ? [] : [from]), limit],
  );
  return rows.map((row) => ({ block: toBlock(row), origin: row['origin'] as string | null }));
}

export function countBlocks(db: Statements, query: BlockQuery): Promise<number> {
  const { where, values } = toWhere(query);
  return countRows(db, `SELECT count(*) AS many FROM block ${where}`, ...values);
}

export async function getBlock(db: Statements, id: string): Promise<Block> {
  const row = await findRow(db, 'SELECT * FROM block WHERE id = ?', id);
  if (row === undefined) throw new Error(`the ledger has no block ${id}`);
  return toBlock(row);
}

const originsOf =
  'SELECT 1 FROM alarm_block JOIN alarm ON alarm.id = alarm_block.alarm WHERE alarm_block.block = block.id AND origin';
const searched =
  "source || ' ' || destination || ' ' || description || ' ' || ifnull(reason, '') || ' ' || ifnull(comment, '') || ' ' || tags || ' ' || id";

/** Lists are passed to SQL as one JSON value: one statement for any number of items. */
function toWhere(query: BlockQuery): { where: string; values: Value[] } {
  const terms: string[] = [];
  const values: Value[] = [];
  const add = (term: string, value: Value | undefined): void => {
    if (value === undefined) return;
    terms.push(term);
    values.push(value);
  };
  const list = (names: readonly (string | number)[] | undefined): string | undefined => names && JSON.stringify(names);
  add('id IN (SELECT value FROM json_each(?))', list(query.ids));
  add('state IN (SELECT value FROM json_each(?))', list(query.states));
  add('proof IN (SELECT value FROM json_each(?))', list(query.proofs));
  add('updated_at >= ?', query.updatedSince);
  add('firewall IN (SELECT value FROM json_each(?))', list(query.firewalls));
  add('tracker IN (SELECT value FROM json_each(?))', list(query.trackers));
  add('seq > (SELECT seq FROM block WHERE id = ?)', query.after);
  add('id IN (SELECT block FROM alarm_block WHERE alarm = ?)', query.alarm);
  add("id LIKE '%' || ?", query.idEnding);
  for (const tag of query.tags ?? []) add('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)', tag);
  add('source = ?', query.source);
  add('source IN (SELECT value FROM json_each(?))', list(query.sources));
  add(`EXISTS (${originsOf} = ?)`, query.onlyOf);
  add(`NOT EXISTS (${originsOf} <> ?)`, query.onlyOf);
  add('source >= ?', query.sourcePrefix);
  add("source < ? || '~'", query.sourcePrefix); // it follows all characters of an address
  if (query.hasNetworkSource === true) terms.push("source LIKE '%/%'");
  add('destination = ?', query.destination);
  add('port = ?', query.port);
  add(`instr(lower(${searched}), lower(?)) > 0`, query.search);
  if (query.isCurrent === true) terms.push("state NOT IN ('released', 'refused')"); // as the indexes have it
  if (query.isFailing === true) terms.push('trouble IS NOT NULL');
  add('created_at <= ?', query.createdUntil);
  return { where: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`, values };
}
