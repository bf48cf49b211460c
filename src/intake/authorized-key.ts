import { readFileSync } from 'node:fs';
import { describeError } from '../core/describe.js';
import { FirebreakError, quoteBack } from '../core/errors.js';

const publicKey = /^((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: ([^\r\n"\\]*))?$/;

/**
 * The authorized_keys line that lets a key send alarms and do nothing else.
 * @param file the public half
 * @param command what sshd is to run for it, as a list of arguments
 * @throws FirebreakError usage if the file contains anything else, or a path needs quoting
 */
export function renderAuthorizedKey(file: string, command: readonly string[]): string {
  const lines = read(file)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const [line = ''] = lines;
  if (line.startsWith('-----BEGIN')) {
    throw new FirebreakError(
      'usage',
      `${file}: this is the private key, which must stay on its host; give the .pub file`,
    );
  }
  const match = publicKey.exec(line);
  if (match === null || lines.length !== 1) {
    throw new FirebreakError('usage', `${file}: expected one public key in one line, as ssh-keygen writes it`);
  }
  const unsafe = command.find((word) => !/^[A-Za-z0-9._/@+-]+$/.test(word));
  if (unsafe !== undefined) {
    throw new FirebreakError('usage', `${quoteBack(unsafe)} would need quotes in authorized_keys; use a plain path`);
  }
  const [, type = '', key = '', comment] = match;
  return `restrict,command="${command.join(' ')}" ${[type, key, comment].filter(Boolean).join(' ')}`;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FirebreakError('usage', `${file}: ${describeError(error)}; give the .pub file of the caller's key`, {
      cause: error,
    });
  }
}
