import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findPackageRoot } from '../config/package-root.js';

/** An alarm over SSH that templates/host/hand-over.py hands to a running Firebreak, instead of starting one. */
export interface HandedOver {
  /** The alarm's id. Whoever hears of it again does not record it again. */
  alarm: string;
  /** What sshd says of the client. */
  client: string;
  command: string;
}

/** What the caller gets. */
export interface HandedBack {
  exit: number;
  stdout: string;
  stderr: string;
}

/** More than a session may request. */
export const maxHandedOver = 65_536;

/** Where a running Firebreak listens. */
export const intakeSocketOf = (stateDir: string): string => join(stateDir, 'intake.sock');

const python = '/usr/bin/python3';

/** The words that precede a command in order to try that socket first; none on a host without Python. */
export const handOverTo = (socket: string): string[] =>
  existsSync(python) ? [python, '-IS', join(findPackageRoot(), 'templates/host/hand-over.py'), socket] : [];

/** A ULID, which begins with the time. */
export const isAlarmId = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);

/** @returns undefined for anything but a request */
export function parseHandedOver(bytes: Buffer): HandedOver | undefined {
  const [alarm = '', client, ...rest] = bytes.toString().split('\0');
  if (client === undefined || rest.length === 0 || client.length > 200 || !isAlarmId(alarm)) return undefined;
  return { alarm, client, command: rest.join('\0') };
}

export function renderHandedBack({ exit, stdout, stderr }: HandedBack): Buffer {
  const [out, err] = [Buffer.from(stdout), Buffer.from(stderr)];
  return Buffer.concat([Buffer.from(`${exit} ${out.length} ${err.length}\n`), out, err]);
}
