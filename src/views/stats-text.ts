import type { OutcomeKind } from '../core/outcome.js';
import { findSlotSize, formatTaken, nameSlot, nameSpan, toSlots } from './stats-slots.js';
import { count } from './count.js';
import { toTable } from './table.js';
import { describeCause } from '../platforms/causes.js';
import { formatLocal } from '../core/local-time.js';
import type { History, TopEntry } from '../core/stats.js';

/** The report on a terminal of 80 columns. */
export function historyToText(figures: History): string {
  const parts = [
    nameSpan(figures),
    [count(figures.alarms, 'alarm'), ...describeOutcomes(figures), ...describeDrift(figures)].join('\n'),
    describeNow(figures),
    isQuiet(figures) ? 'Nothing happened.' : drawSlots(figures),
    listTop('SOURCE', figures.sources),
    listTop('DESTINATION', figures.destinations),
    listTop('TAG', figures.tags),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

const isQuiet = ({ hours }: History): boolean => hours.length === 0;

function describeOutcomes({ outcomes, proof, causes }: History): string[] {
  const more: Partial<Record<OutcomeKind, string>> = {
    observed: 'would have been blocked: firebreak report --observed',
    proven:
      proof === null
        ? ''
        : `median ${formatTaken(proof.medianMs)} after the alarm, 95 % within ${formatTaken(proof.p95Ms)}`,
    failed: fit(
      causes.map(({ code, blocks }) => `${blocks} ${describeCause(code)}`),
      56,
    ),
  };
  return (['proven', 'bypassed', 'released', 'failed', 'held', 'refused', 'observed'] as const)
    .filter((kind) => kind !== 'observed' || outcomes.observed > 0)
    .map((kind) => `${String(outcomes[kind]).padStart(7)}  ${kind.padEnd(10)}${more[kind] ?? ''}`.trimEnd());
}

/** The texts with commas between them, truncated to the width. */
function fit(texts: readonly string[], width: number): string {
  const text = texts.join(', ');
  return text.length <= width ? text : `${text.slice(0, width - 4)} ...`;
}

const describeDrift = ({ drift }: History): string[] =>
  drift.map(({ firewall, times, lastAt, differences }) => {
    const when = formatLocal(lastAt).slice(0, 16);
    const name = firewall.length > 14 ? `${firewall.slice(0, 13)}~` : firewall;
    return `${String(times).padStart(7)}  drift     ${name}: last ${when}, ${count(differences, 'difference')}`;
  });

function describeNow({ now }: History): string {
  const failing = now.failing > 0 ? ` (${now.failing} failing)` : '';
  const bypassed = now.bypassed > 0 ? ` (${now.bypassed} bypassed)` : '';
  return `now: ${now.active} in force${bypassed}, ${now.underWay} in progress${failing}, ${now.givenUp} given up, ${now.held} held`;
}

const headings = ['PROVEN', 'FAILED', 'HELD', 'REFUSED'];

/** A bar's length is the number of proven blocks, relative to the highest one. */
function drawSlots(figures: History): string {
  const size = findSlotSize(figures);
  const slots = toSlots(figures);
  const figured = slots.map((slot) => [
    nameSlot(slot, size),
    ...[slot.proven, slot.failed, slot.held, slot.refused].map((many) => (many === 0 ? '.' : String(many))),
  ]);
  const table = toTable([size.toUpperCase(), ...headings], figured, { right: new Set(headings) }).split('\n');
  const most = Math.max(1, ...slots.map(({ proven }) => proven));
  const room = Math.min(36, 78 - Math.max(...table.map((line) => line.length)));
  const bars = slots.map(({ proven }) =>
    '#'.repeat(proven === 0 ? 0 : Math.max(1, Math.round((proven / most) * room))),
  );
  return table.map((line, index) => `${line}  ${bars[index - 1] ?? ''}`.trimEnd()).join('\n');
}

const listTop = (heading: string, top: readonly TopEntry[]): string =>
  top.length === 0
    ? ''
    : toTable(
        ['BLOCKS', 'ALARMS', heading],
        top.map(({ address, blocks, alarms }) => [String(blocks), String(alarms), address]),
        { right: new Set(['BLOCKS', 'ALARMS']) },
      );
