import { createHash } from 'node:crypto';

const header = '# firebreak install wrote this file; sha256 of the rest: ';
const pattern = new RegExp(`^${header}([0-9a-f]{64})\n`, 'm');

/** Adds a line with a checksum at the top, or after `#!`, that shows later whether the file was changed. */
export function addChecksum(text: string): string {
  const [shebang = ''] = /^#!.*\n/.exec(text) ?? [];
  return `${shebang}${header}${hash(text)}\n${text.slice(shebang.length)}`;
}

/** Whether install wrote the file, and it was not changed since. */
export function isUnchanged(text: string): boolean {
  const [line = '', written] = pattern.exec(text) ?? [];
  return written !== undefined && hash(text.replace(line, '')) === written;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
