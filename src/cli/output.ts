import { FirebreakError } from '../core/errors.js';
import { toPrintable, toPrintableJson } from '../core/printable.js';
import { clearLine } from '../runtime/terminal.js';
import type { Output } from './command.js';

/** Prints a line on stderr, over any progress line. */
export const warn = (message: string): void =>
  void process.stderr.write(`${clearLine()}firebreak: ${toPrintable(message)}\n`);

/** Prints one line on stdout, for a command that prints as it goes. */
export const printLine = (text: string): void => void process.stdout.write(`${toPrintable(text)}\n`);

/** Prints a command's result on stdout. */
export function printOutput({ text, isPrintable = false, json }: Output, asJson: boolean): void {
  if (text === undefined) return;
  const plain = isPrintable ? text : toPrintable(text);
  process.stdout.write(`${asJson ? toPrintableJson(json) : plain}\n`);
}

/**
 * Prints a result of any size on stdout. Each piece waits for the one before it, so that a slow reader does not fill the
 * memory; a reader that has gone away is no error. @param isPrintable the pieces contain our own colour codes
 */
export async function printPieces(pieces: AsyncIterable<string>, isPrintable = false): Promise<void> {
  for await (const piece of pieces) {
    const text = isPrintable ? piece : toPrintable(piece);
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  }
}

/** Prints an error, as JSON on stdout or line by line on stderr. @returns its exit code */
export async function printError(error: unknown, asJson: boolean): Promise<number> {
  const known = error instanceof FirebreakError;
  const message = known ? error.message : `unexpected: ${describe(error)}`;
  const exit = known ? error.exit : 1;
  if (asJson) {
    const { errorToJson } = await import('../views/json.js');
    const code = known ? error.code : 'unexpected';
    process.stdout.write(`${toPrintableJson(errorToJson({ code, message, exit }))}\n`);
  } else {
    for (const line of message.split('\n')) warn(line);
  }
  return exit;
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
