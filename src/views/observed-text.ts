import type { Block } from '../core/block.js';
import type { ObservedReport } from '../core/stats.js';
import { count } from './count.js';
import { blockToJson, toTime } from './json.js';
import { nameSpan } from './stats-slots.js';
import { toTable } from './table.js';

/** Further flows are counted, not listed. */
const maxListed = 20;

/** What would have been blocked, and what of it deserves a look before it is enforced. */
export function observedToText(report: ObservedReport): string {
  const { observed, refused, own, repeated } = report;
  const firewalls = [...new Set(observed.map(({ firewall }) => firewall))];
  const figures = [
    `${count(observed.length, 'flow')} would have been blocked${firewalls.length > 0 ? ` on ${firewalls.join(', ')}` : ''}`,
    `${repeated.length} of them alarmed again while they would have been blocked`,
  ];
  return [
    nameSpan(report),
    figures.join('\n'),
    list('Sources in your own networks: these blocks would have hurt', own),
    list('Refused by the policy, observed or not: these are protected', refused),
    list('Would have been blocked', observed),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function list(title: string, blocks: readonly Block[]): string {
  if (blocks.length === 0) return '';
  const rows = [...blocks]
    .sort((one, other) => other.alarms - one.alarms)
    .slice(0, maxListed)
    .map(({ flow, firewall, alarms, reason, state }) => [
      String(alarms),
      flow.source,
      `${flow.destination} ${flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`}`,
      firewall,
      state === 'refused' ? (reason ?? '') : '',
    ]);
  const headings = ['ALARMS', 'SOURCE', 'DESTINATION', 'FIREWALL', 'WHY NOT'];
  const columns = blocks.some(({ state }) => state === 'refused') ? headings : headings.slice(0, -1);
  const more = blocks.length > maxListed ? `\n... and ${blocks.length - maxListed} more: --json` : '';
  return `${title}:\n${toTable(columns, rows, { right: new Set(['ALARMS']), width: 80 })}${more}`;
}

export const observedToJson = ({ since, until, ...lists }: ObservedReport): object => ({
  since: since > 0 ? toTime(since) : null,
  until: toTime(until),
  observed: lists.observed.map(blockToJson),
  refused: lists.refused.map(blockToJson),
  own_networks: lists.own.map(blockToJson),
  repeated: lists.repeated.map(blockToJson),
});
