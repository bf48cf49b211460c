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
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { nothingSeen, type Seen } from '../core/policy.js';
import type { Freeze, NewAlarm, Ledger } from '../ledger/ledger.js';
import { readAuditKey } from '../ledger/sql/audit-key.js';
import { hasExited, processIdentity } from '../ledger/process-identity.js';
import { auditKeyOf } from './context.js';
import type { App } from '../runtime/app.js';

/**
 * What a block needs where the ledger is broken, in small files beside it: the policy's facts that only the ledger knew,
 * and a spool of what could not be kept, until it can.
 */

/** What only the ledger knows and the policy asks for. */
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

/** Writes the copy anew where it is not what the ledger says. That this fails changes nothing of what was just done. */
export async function saveKnown({ config, ledger }: Pick<App, 'config' | 'ledger'>): Promise<void> {
  try {
    const known: Known = { frozen: (await ledger.findFreeze()) ?? null, seen: await ledger.findSeen() };
    const body = JSON.stringify(known);
    const text = JSON.stringify({ body, mac: sign(body, config) ?? null });
    if (readText(knownFile(config)) !== text) writeWhole(knownFile(config), text);
  } catch {
    return; // the next call meets the same fault, and tells it
  }
}

/** @returns what was known last; nothing where there is no copy, or it is not ours */
export function readKnown(config: Config): Known {
  try {
    const { body, mac } = JSON.parse(readText(knownFile(config)) ?? '') as { body: string; mac: string | null };
    if (mac === (sign(body, config) ?? null)) return JSON.parse(body) as Known; // as saveKnown wrote it
  } catch {
    // none, or damaged: then only the configuration is known
  }
  return { frozen: null, seen: nothingSeen };
}

/** Keeps a request until the ledger is back. @returns why that cannot be done */
export function spool(config: Config, request: NewAlarm): string | undefined {
  try {
    mkdirSync(spoolFolder(config), { recursive: true, mode: 0o700 });
    writeWhole(join(spoolFolder(config), `${request.id}.json`), JSON.stringify(request));
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** Keeps in the ledger what was spooled, in its order, so that it ends, is carried and stands in the audit log. */
export async function takeSpooled({ config, ledger, warn }: Pick<App, 'config' | 'ledger' | 'warn'>): Promise<void> {
  for (const name of listSpool(config)) {
    const file = join(spoolFolder(config), name);
    const request = parse(readText(file));
    if (request === undefined) {
      warn(`${file} is no request that Firebreak wrote, and is left there`);
      continue;
    }
    await keepOnce(request, ledger);
    rmSync(file, { force: true });
    warn(`alarm ${request.id}, which came while the ledger could not be written, is kept now`);
  }
}

/** Several processes may find the same file: the alarm's id lets one of them keep it. */
async function keepOnce(request: NewAlarm, ledger: Ledger): Promise<void> {
  if (await ledger.hasAlarm(request.id)) return;
  try {
    await ledger.recordAlarms([request], { recheckMs: 0 });
  } catch (error) {
    if (!(await ledger.hasAlarm(request.id))) throw error;
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

function parse(text: string | undefined): NewAlarm | undefined {
  try {
    const parsed = JSON.parse(text ?? '') as Partial<NewAlarm>;
    return typeof parsed.id === 'string' && Array.isArray(parsed.blocks) ? (parsed as NewAlarm) : undefined; // as spool wrote it
  } catch {
    return undefined;
  }
}

/**
 * Lets one process of this host at a time act without the ledger, which would keep them apart.
 * @returns what ends it; undefined where another is at it
 */
export function beginAlone(): (() => void) | undefined {
  const place = join(tmpdir(), `firebreak-without-ledger-${process.getuid?.() ?? 0}`);
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      mkdirSync(place, { mode: 0o700 });
      writeWhole(join(place, 'holder'), processIdentity() ?? '');
      return () => rmSync(place, { recursive: true, force: true });
    } catch {
      if (!isOurs(place)) return () => undefined; // another user's: it keeps nobody apart, and must not hinder
      if (!hasExited(readText(join(place, 'holder')) ?? null)) return undefined;
      rmSync(place, { recursive: true, force: true });
    }
  }
  return undefined;
}

function isOurs(place: string): boolean {
  const status = statSync(place, { throwIfNoEntry: false });
  return status !== undefined && status.uid === process.getuid?.();
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** All of it, on the disk, or what was there before. */
function writeWhole(file: string, text: string): void {
  const fresh = `${file}.${process.pid}`;
  const opened = openSync(fresh, 'w', 0o600);
  try {
    const bytes = Buffer.from(text);
    if (writeSync(opened, bytes) < bytes.length) throw Object.assign(new Error('a part'), { code: 'ENOSPC' });
    fsyncSync(opened);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(opened);
  }
  renameSync(fresh, file);
}
