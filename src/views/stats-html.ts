import { drawBars, placeLabels } from './chart.js';
import { findSlotSize, formatTaken, nameSlot, nameSpan, toSlots } from './stats-slots.js';
import { describeCause } from '../platforms/causes.js';
import { formatLocal } from '../core/local-time.js';
import type { History, TopEntry } from '../core/stats.js';
import { compilePackageTemplate } from '../runtime/templates.js';

/** The report as one self-contained HTML page: its charts are inline, and nothing in it runs. */
export function historyToHtml(figures: History, host: string): string {
  const { outcomes, proof, now } = figures;
  const size = findSlotSize(figures);
  const slots = toSlots(figures).map((slot) => ({ ...slot, name: nameSlot(slot, size) }));
  return compilePackageTemplate('report/report.html', { isHtml: true })({
    host,
    span: nameSpan(figures),
    size,
    isQuiet: figures.hours.length === 0,
    tiles: [
      { name: 'alarms', value: figures.alarms, tone: '' },
      { name: 'proven', value: outcomes.proven, tone: 'proven' },
      { name: 'median', value: proof === null ? '-' : formatTaken(proof.medianMs), tone: '' },
      { name: '95 % within', value: proof === null ? '-' : formatTaken(proof.p95Ms), tone: '' },
      ...(outcomes.bypassed > 0 ? [{ name: 'bypassed', value: outcomes.bypassed, tone: 'failed' }] : []),
      { name: 'failed', value: outcomes.failed, tone: outcomes.failed > 0 ? 'failed' : '' },
      { name: 'held', value: outcomes.held, tone: outcomes.held > 0 ? 'held' : '' },
      { name: 'refused', value: outcomes.refused, tone: '' },
      { name: 'released', value: outcomes.released, tone: '' },
    ],
    now: [
      { name: 'in force', value: now.active, tone: '' },
      ...(now.bypassed > 0 ? [{ name: 'bypassed', value: now.bypassed, tone: 'failed' }] : []),
      { name: 'in progress', value: now.underWay, tone: '' },
      { name: 'failing', value: now.failing, tone: now.failing > 0 ? 'failed' : '' },
      { name: 'given up', value: now.givenUp, tone: now.givenUp > 0 ? 'failed' : '' },
      { name: 'held', value: now.held, tone: now.held > 0 ? 'held' : '' },
    ],
    chart: drawBars(slots, ['proven', 'failed', 'held', 'refused']),
    labels: placeLabels(slots.map(({ name }) => (size === 'hour' ? name.slice(6) : name))),
    top: [
      { title: 'Top sources', rows: toShares(figures.sources) },
      { title: 'Top destinations', rows: toShares(figures.destinations) },
    ],
    causes: figures.causes.map(({ code, blocks }) => ({ name: describeCause(code), blocks })),
    drift: figures.drift.map((each) => ({ ...each, at: formatLocal(each.lastAt).slice(0, 16) })),
  });
}

/** Adds the length of the bar, in percent of the highest number of alarms. */
function toShares(entries: readonly TopEntry[]): (TopEntry & { share: number })[] {
  const top = Math.max(1, ...entries.map(({ alarms }) => alarms));
  return entries.map((each) => ({ ...each, share: Math.max(1, Math.round((each.alarms / top) * 100)) }));
}
