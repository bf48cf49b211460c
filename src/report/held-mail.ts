import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../config/package-root.js';
import { formatDuration } from '../core/duration.js';
import type { FailureMail } from './mail.js';

/** What came, in figures: see the ledger's `findStorm`. */
export interface HeldFigures {
  held: number;
  standing: number;
  lastMinute: number;
  sources: { address: string; blocks: number; alarms: number }[];
  destinations: { address: string; blocks: number; alarms: number }[];
}

export interface HeldLimits {
  per_minute: number;
  active: number;
  per_destination: number;
  hold_for: number;
}

/** Says that blocks wait for somebody, how many, whom they are about, and what to type. */
export function renderHeldMail(figures: HeldFigures, limits: HeldLimits, host = hostname()): FailureMail {
  const template = readFileSync(join(findPackageRoot(), 'templates', 'mail', 'held.txt.hbs'), 'utf8');
  const text = Handlebars.create().compile(template, { noEscape: true, strict: true })({
    ...figures,
    ...limits,
    lapse: formatDuration(limits.hold_for),
    host,
  });
  const [top] = figures.sources;
  const most = top === undefined ? '' : `, most for ${top.address}`;
  return { subject: `[firebreak] HELD: new blocks wait for approval${most}`.slice(0, 78), text };
}
