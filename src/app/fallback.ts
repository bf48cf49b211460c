import { createHmac } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeTime } from 'ulid';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { nothingSeen, type Seen } from '../core/policy.js';
import type { Freeze, NewAlarm } from '../ledger/ledger.js';
import { readAuditKey } from '../ledger/sql/audit-key.js';
import { hasExited, processIdentity } from '../ledger/process-identity.js';
import { auditKeyOf } from './context.js';
import type { App } from '../runtime/app.js';
import { saveProtectedCopies } from '../runtime/protected-copies.js';

/**
 * What a block needs if the ledger is broken, in small files beside it: the policy's facts that only the ledger knows,
 * and a spool of requests until they can be recorded.
 */

/** Facts that only the ledger knows and the policy needs. */
export interface Known {
  frozen: Freeze | null;
  seen: Seen;
}

const knownFile = ({ state_dir }: Config): string => join(state_dir, 'known.json');
const spoolFolder = ({ state_dir }: Config): string => join(state_dir, 'spool');

const sign = (body: string, config: Config): string | undefined => {
  const key = readAuditKey(auditKeyOf(config));
  return key && createHmac('sha256', key).update(`known\n${body}`).digest('hex');
};

/** Rewrites the copies that differ from the ledger and from the lists. A failure does not affect what was just done. */
export async function saveKnown({ config, ledger }: Pick<App, 'config' | 'ledger'>): Promise<void> {
  saveProtectedCopies(config);
  try {
    const known: Known = { frozen: (await ledger.findFreeze()) ?? null, seen: await ledger.findSeen() };
    const body = JSON.stringify(known);
    const text = JSON.stringify({ body, mac: sign(body, config) ?? null });
    if (readText(knownFile(config)) !== text) writeWhole(knownFile(config), text);
  } catch {
    return; // the next call has the same error, and reports it
  }
}

/** The copy may be old: what has an end may be over. */
const current = ({ frozen, seen }: Known): Known => ({
  frozen,
  seen: {
    ...seen,
    allowances: (seen.allowances ?? []).filter(({ until }) => until === null || until > Date.now()),
  },
});

/** @returns the last known facts; none if there is no copy, or it is not ours */
export function readKnown(config: Config): Known {
  try {
    const { body, mac } = JSON.parse(readText(knownFile(config)) ?? '') as { body: string; mac: string | null };
    if (mac === (sign(body, config) ?? null)) return current(JSON.parse(body) as Known); // as saveKnown wrote it
  } catch {
    // missing or damaged: only the configuration is known
  }
  return { frozen: null, seen: nothingSeen };
}

/** A request that waits for the ledger. */
export interface Spooled extends NewAlarm {
  /** Whether it came beyond the limits, and was not applied: the ledger is to hold it. */
  isLimited: boolean;
}

/**
 * Whether the alarms that wait in the spool use up `policy.limits.per_minute`. The other limits count blocks, which only
 * the ledger knows.
 */
export function exceedsLimit(config: Config): boolean {
  const { hold, per_minute: perMinute } = config.policy.limits;
  const since = Date.now() - 60_000;
  return hold && listSpool(config).filter((name) => decodeTime(name.slice(0, 26)) > since).length >= perMinute;
}

/** Stores a request until the ledger is back. @returns the reason if this fails */
export function spool(config: Config, request: Spooled): string | undefined {
  try {
    mkdirSync(spoolFolder(config), { recursive: true, mode: 0o700 });
    writeWhole(join(spoolFolder(config), `${request.id}.json`), JSON.stringify(request));
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/**
 * Records spooled requests in the ledger, in order, so that their blocks expire, are applied and are audited. Of several
 * processes that find the same file only one records it.
 */
export async function takeSpooled({ config, ledger, warn }: Pick<App, 'config' | 'ledger' | 'warn'>): Promise<void> {
  for (const name of listSpool(config)) {
    const file = join(spoolFolder(config), name);
    const request = parse(readText(file));
    if (request === undefined) {
      warn(`${file} is not a request that Firebreak wrote, and was left in place`);
      continue;
    }
    const { isLimited, ...alarm } = request;
    const { per_minute: perMinute, active } = config.policy.limits;
    await ledger.recordAlarms([alarm], { recheckMs: 0, ...(isLimited && { limits: { perMinute, active } }) });
    rmSync(file, { force: true });
    warn(`alarm ${request.id}, spooled while the ledger could not be written, is now recorded`);
  }
}

function listSpool(config: Config): string[] {
  try {
    return readdirSync(spoolFolder(config))
      .filter((name) => /^[0-9A-Z]{26}\.json$/.test(name))
      .sort();
  } catch {
    return []; // nothing was ever spooled
  }
}

function parse(text: string | undefined): Spooled | undefined {
  try {
    const parsed = JSON.parse(text ?? '') as Partial<Spooled>;
    return typeof parsed.id === 'string' && Array.isArray(parsed.blocks) ? (parsed as Spooled) : undefined; // as spool wrote it
  } catch {
    return undefined;
  }
}

/**
 * Lets one process of this host at a time act without the ledger, whose leases would otherwise prevent conflicts.
 * @returns a function that ends the turn; undefined if another process has it
 */
export function beginAlone(): (() => void) | undefined {
  const lock = join(tmpdir(), `firebreak-without-ledger-${process.getuid?.() ?? 0}`);
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      mkdirSync(lock, { mode: 0o700 });
      writeWhole(join(lock, 'holder'), processIdentity() ?? '');
      return () => rmSync(lock, { recursive: true, force: true });
    } catch {
      if (!isOurs(lock)) return () => undefined; // another user's: it must not prevent ours
      if (!hasExited(readText(join(lock, 'holder')) ?? null)) return undefined;
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return undefined;
}

function isOurs(lock: string): boolean {
  const status = statSync(lock, { throwIfNoEntry: false });
  return status !== undefined && status.uid === process.getuid?.();
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Writes the whole file to disk, or leaves the previous one. */
function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  const opened = openSync(temporary, 'w', 0o600);
  try {
    const bytes = Buffer.from(text);
    if (writeSync(opened, bytes) < bytes.length) throw Object.assign(new Error('written in part'), { code: 'ENOSPC' });
    fsyncSync(opened);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(opened);
  }
  renameSync(temporary, file);
}
