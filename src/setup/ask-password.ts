import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { FirebreakError } from '../core/errors.js';

/** Asks twice on the terminal, without echo. @throws FirebreakError usage */
export async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) throw new FirebreakError('usage', 'not a terminal; use --password-file FILE');
  const first = await askHidden('Password: ');
  if ((await askHidden('Repeat it: ')) === first) return first;
  throw new FirebreakError('usage', 'the two passwords differ; nothing was changed');
}

function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silence = new Writable({ write: (_, __, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silence, terminal: true });
  return new Promise((resolve, reject) => {
    reader.once('close', () => reject(new FirebreakError('usage', 'no password was given; nothing was changed')));
    reader.once('line', (line) => {
      process.stderr.write('\n');
      resolve(line);
      reader.close();
    });
  });
}
