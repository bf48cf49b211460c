import type { SyslogConfig } from '../../config/schema.js';
import { describeFlow } from '../../core/describe-flow.js';
import type { OutcomeKind } from '../../core/outcome.js';
import type { OutcomeRecord } from '../../core/stats.js';

export interface OutcomeToSend extends Omit<OutcomeRecord, 'seq'> {
  /** The SIEM's id of the last alarm that requested the block. */
  event: string | undefined;
}

/** Numbers of RFC 5424, tables 1 and 2. */
const facilities: Record<SyslogConfig['facility'], number> = {
  ...{ user: 1, daemon: 3, auth: 4, authpriv: 10 },
  ...{ local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23 },
};
const severities: Record<OutcomeKind, number> = {
  ...{ proven: 5, released: 6, held: 4, refused: 4, failed: 3, bypassed: 3, observed: 6 },
};

/** The enterprise number that RFC 5612 reserves for examples and documentation. */
const structure = 'firebreak@32473';

export interface SyslogOrigin {
  facility: SyslogConfig['facility'];
  host: string;
  pid: number;
  /** The end of the audit log: on another host, it proves whether the log was rewritten. */
  audit?: { seq: number; hash: string } | undefined;
}

/** One outcome in the format of RFC 5424: always one line of ASCII. */
export function toSyslogLine(outcome: OutcomeToSend, { facility, host, pid, audit }: SyslogOrigin): string {
  const { at, kind, ms, code, event, block } = outcome;
  const { flow } = block;
  // Every field is always present: a SIEM's regular expression needs no alternatives.
  const facts: [string, string | number][] = [
    ['outcome', kind],
    ['firewall', block.firewall],
    ['src', flow.source],
    ['dst', flow.destination],
    ['dport', flow.port === '' ? '0' : flow.port],
    ['proto', flow.protocol],
    ['interface', flow.interface],
    ['type', flow.type],
    ['tracker', block.tracker],
    ['block', block.id],
    ['event', event ?? ''],
    ['code', code ?? ''],
    ['ms', ms],
  ];
  const data = facts.map(([name, value]) => `${name}="${escape(String(value))}"`);
  const header = [
    `<${facilities[facility] * 8 + severities[kind]}>1`,
    new Date(at).toISOString(),
    toName(host, 255),
    'firebreak',
    pid,
    kind.toUpperCase(),
  ].join(' ');
  const anchor = audit === undefined ? '' : `[audit@32473 seq="${audit.seq}" hash="${audit.hash.slice(0, 32)}"]`;
  return `${header} [${structure} ${data.join(' ')}]${anchor} ${toAscii(describe(outcome))}`;
}

const verbs: Record<OutcomeKind, string> = {
  proven: 'blocked and proven',
  released: 'released',
  bypassed: 'NOT stopped, though the rule stands',
  failed: 'NOT as requested',
  held: 'NOT blocked, held',
  refused: 'NOT blocked, refused',
  observed: 'NOT blocked, only observed',
};

function describe({ kind, block, code, reason }: OutcomeToSend): string {
  const isDoubtful = kind === 'proven' && code !== null;
  const verb = isDoubtful ? 'blocked, not proven to decide' : verbs[kind];
  const suffix = reason === null || (kind === 'proven' && !isDoubtful) ? '' : `: ${reason}`;
  return `${block.firewall}: ${verb}: ${describeFlow(block.flow)}${suffix}`.slice(0, 600);
}

/** Replaces line ends, control characters and all that is not ASCII: a line cannot become two, or hide its text. */
const toAscii = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

/** RFC 5424, 6.3.3: these three characters are escaped within a value. */
const escape = (text: string): string => toAscii(text).replace(/["\\\]]/g, '\\$&');

/** A word of the header: printable, without spaces. */
const toName = (text: string, length: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, length) || '-';
