import { uptime } from 'node:os';
import { readBoot } from '../process-identity.js';
import type { Connection } from './connection.js';

/** A reading of the clocks, in milliseconds. Changes of the wall clock do not affect `uptime`. */
export interface Reading {
  wall: number;
  uptime: number;
  /** The id of the current boot; empty if unknown. */
  boot: string;
}

export function readClock(): Reading {
  const boot = readBootId();
  for (let attempt = 1; ; attempt += 1) {
    const reading = { wall: Date.now(), uptime: Math.round(uptime() * 1000), boot };
    // A process that is stopped between the two readings must not see a step.
    if (Date.now() - reading.wall < 100 || attempt === 5) return reading;
  }
}

let knownBoot: string | undefined;

/** Read once: a process does not outlive a boot. */
function readBootId(): string {
  try {
    return (knownBoot ??= readBoot());
  } catch {
    return ''; // not Linux: only the uptime shows a reboot
  }
}

/** A larger step is compensated. Where /proc/uptime is hidden, the uptime is known to the second only. */
const jumpMs = 1000;

/**
 * Shifts every time in the ledger when the wall clock is set, so that a block of 24 hours lasts 24 hours,
 * whatever the clock does. Call it at the start of a transaction.
 * @returns by how much, in milliseconds; 0 if the clock was not set
 */
export function followClock(connection: Connection, reading: Reading): number {
  const [last] = [...connection.rows('SELECT wall, uptime, boot FROM clock WHERE one = 1', [])];
  if (last === undefined) {
    connection.run('INSERT INTO clock VALUES (1, ?, ?, ?)', [reading.wall, reading.uptime, reading.boot]);
    return 0;
  }
  const known = { wall: Number(last['wall']), uptime: Number(last['uptime']), boot: String(last['boot']) };
  const jump = findJump(known, reading);
  if (jump !== 0) shiftTimes(connection, jump);
  if (jump !== 0 || known.boot !== reading.boot || Math.abs(reading.wall - known.wall) >= 1000) {
    connection.run('UPDATE clock SET wall = ?, uptime = ?, boot = ?', [reading.wall, reading.uptime, reading.boot]);
  }
  return jump;
}

/** How far the wall clock was set since the last reading; 0 if it was not. */
export function findJump(last: Reading, now: Reading): number {
  const isSameBoot = last.boot === now.boot && now.uptime >= last.uptime;
  if (isSameBoot) {
    const jump = now.wall - (last.wall + now.uptime - last.uptime);
    return Math.abs(jump) > jumpMs ? jump : 0;
  }
  // How long the machine was off is unknown, but never less than zero.
  return now.wall < last.wall - jumpMs ? now.wall - last.wall : 0;
}

/** Every time in the ledger, except that of the clock itself and of what was forwarded. */
export const times: Readonly<Record<string, readonly string[]>> = {
  block: [
    'created_at',
    'asked_at',
    'updated_at',
    'expires_at',
    'notice_for',
    'proven_at',
    'due_at',
    'failing_since',
    'packets_at',
  ],
  alarm: ['received_at'],
  lease: ['expires_at'],
  run: ['started_at'],
  waiter: ['expires_at'],
  session: ['expires_at'],
  freeze: ['at'],
  outbox: ['created_at', 'due_at', 'sent_at'],
  incident: ['began_at', 'told_at'],
  outcome: ['at'],
  drift: ['at'],
  feed: ['held_until'],
  firewall_address: ['seen_at'],
  firewall_fact: ['seen_at'],
  allowance: ['until', 'created_at'],
  address_change: ['at'],
  asking: ['asked_at'],
  caller: ['seen_at'],
  chore: ['done_at'],
  observe: ['at'],
  token: ['created_at', 'expires_at'],
  person: ['created_at'],
  web_session: ['started_at', 'seen_at', 'expires_at'],
  decision_link: ['expires_at'],
};

function shiftTimes(connection: Connection, by: number): void {
  for (const [table, columns] of Object.entries(times)) {
    connection.run(`UPDATE ${table} SET ${columns.map((name) => `${name} = ${name} + ${by}`).join(', ')}`, []);
  }
}
