import { uptime } from 'node:os';
import { readBoot } from '../process-identity.js';
import type { Connection } from './connection.js';

/** One look at the clocks, in milliseconds. `uptime` counts on through every change of the wall clock. */
export interface Reading {
  wall: number;
  uptime: number;
  /** Tells one boot from another; empty where the system does not say. */
  boot: string;
}

export function readClock(): Reading {
  return { wall: Date.now(), uptime: Math.round(uptime() * 1000), boot: readBootId() };
}

function readBootId(): string {
  try {
    return readBoot();
  } catch {
    return ''; // not Linux: the uptime alone has to tell a boot
  }
}

/** A step of the wall clock that is no mere correction of its pace. */
const jumpMs = 60_000;

/**
 * Keeps every time in the ledger as far away as it was, when the wall clock is set: a block of 24 hours lasts 24 hours,
 * whatever the clock does meanwhile. To be called at the head of a transaction.
 */
export function followClock(connection: Connection, reading: Reading): void {
  const [last] = [...connection.rows('SELECT wall, uptime, boot FROM clock WHERE one = 1', [])];
  if (last === undefined) {
    connection.run('INSERT INTO clock VALUES (1, ?, ?, ?)', [reading.wall, reading.uptime, reading.boot]);
    return;
  }
  const known = { wall: Number(last['wall']), uptime: Number(last['uptime']), boot: String(last['boot']) };
  const jump = findJump(known, reading);
  if (jump !== 0) shiftTimes(connection, jump);
  if (jump !== 0 || known.boot !== reading.boot || Math.abs(reading.wall - known.wall) >= 1000) {
    connection.run('UPDATE clock SET wall = ?, uptime = ?, boot = ?', [reading.wall, reading.uptime, reading.boot]);
  }
}

/** How far the wall clock was set since the last look; 0 where it just went on. */
export function findJump(last: Reading, now: Reading): number {
  const isSameBoot = last.boot === now.boot && now.uptime >= last.uptime;
  if (isSameBoot) {
    const jump = now.wall - (last.wall + now.uptime - last.uptime);
    return Math.abs(jump) > jumpMs ? jump : 0;
  }
  // Nobody knows how long the machine was off, but not for less than no time.
  return now.wall < last.wall - jumpMs ? now.wall - last.wall : 0;
}

const times = {
  block: ['created_at', 'asked_at', 'updated_at', 'expires_at', 'proven_at', 'due_at', 'failing_since'],
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
  address_change: ['at'],
  asking: ['asked_at'],
  caller: ['seen_at'],
} as const;

function shiftTimes(connection: Connection, by: number): void {
  for (const [table, columns] of Object.entries(times)) {
    connection.run(`UPDATE ${table} SET ${columns.map((name) => `${name} = ${name} + ${by}`).join(', ')}`, []);
  }
}
