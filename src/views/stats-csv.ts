import { stringify } from 'csv-stringify/sync';
import { outcomeKinds } from '../core/outcome.js';
import type { History } from '../core/stats.js';
import { toTime } from './json.js';

/** The outcomes of each hour in which something happened, for a spreadsheet: one line an hour, times in UTC. */
export const historyToCsv = ({ hours }: History): string =>
  stringify(
    hours.map((hour) => ({ ...hour, hour: toTime(hour.at) })),
    { header: true, columns: ['hour', ...outcomeKinds] },
  ).trimEnd();
