import { createHash } from 'node:crypto';

const said = '# firebreak install wrote this file; sha256 of the rest: ';
const mark = new RegExp(`^${said}([0-9a-f]{64})\n`, 'm');

/** The text with a line on top, or behind `#!`, that lets us know it again as long as nobody has changed it. */
export function addMark(text: string): string {
  const [shebang = ''] = /^#!.*\n/.exec(text) ?? [];
  return `${shebang}${said}${hash(text)}\n${text.slice(shebang.length)}`;
}

/** Whether we wrote it, and it is still what we wrote. */
export function isUnchanged(text: string): boolean {
  const [line = '', written] = mark.exec(text) ?? [];
  return written !== undefined && hash(text.replace(line, '')) === written;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
