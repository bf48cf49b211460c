import { stringify } from 'csv-stringify/sync';
import type { Block } from '../core/block.js';
import { isBypassed } from '../core/proof.js';
import { formatSpan } from '../core/duration.js';
import { blockToJson } from './json.js';
import { toTable } from './table.js';

/** The end of an id that is enough to type. */
const idLength = 6;

/** Behind the state of a block whose proof is not worth enough, and what it means. */
const marks = [
  { mark: '!', means: 'the rule stands, but the packet is not stopped', isOn: isBypassed },
  { mark: '?', means: 'in force; not proven to decide', isOn: isDoubtful },
];

function isDoubtful({ state, proof }: Block): boolean {
  return state === 'active' && proof === 'listed';
}

/** Blocks as a table; names the firewall only if there are several. @param width in columns */
export function toList(blocks: readonly Block[], now: number, width = 80): string {
  if (blocks.length === 0) return 'no blocks';
  const hasSeveral = new Set(blocks.map(({ firewall }) => firewall)).size > 1;
  const rows = blocks.map((block) => {
    const { flow, state, firewall, createdAt, alarms, id } = block;
    const service = flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`;
    return {
      STATE: [state, ...marks.filter(({ isOn }) => isOn(block)).map(({ mark }) => mark)].join(' '),
      SOURCE: flow.source,
      DESTINATION: `${flow.destination} ${service}`,
      ...(hasSeveral && { FIREWALL: firewall }),
      SINCE: formatSpan(now - createdAt),
      LEFT: left(block, now),
      ALARMS: String(alarms),
      ID: id.slice(-idLength),
    };
  });
  const table = toTable(Object.keys(rows[0] ?? {}), rows.map(Object.values) as string[][], {
    right: new Set(['SINCE', 'LEFT', 'ALARMS']),
    width,
  });
  const legend = marks.filter(({ isOn }) => blocks.some(isOn)).map(({ mark, means }) => `${mark} ${means}`);
  return legend.length === 0 ? table : [table, '', ...legend, 'why: firebreak show ID'].join('\n');
}

function left({ expiresAt, state }: Block, now: number): string {
  if (state === 'released' || state === 'refused' || state === 'releasing') return '-';
  return expiresAt === null ? 'forever' : formatSpan(expiresAt - now);
}

/** Blocks as CSV: the fields of the JSON, one block per line. */
export const toCsv = (blocks: readonly Block[]): string =>
  stringify(blocks.map(blockToJson), { header: true, columns: csvColumns, cast: { boolean: String } }).trimEnd();

const csvColumns = [
  ...['id', 'firewall', 'state', 'source', 'destination', 'port', 'protocol', 'interface', 'type', 'ipprotocol'],
  ...['tracker', 'description', 'alarms', 'created_at', 'expires_at', 'reason', 'proof', 'warning'],
];
