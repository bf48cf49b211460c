import { createInterface } from 'node:readline/promises';

/** Asks a yes-or-no question; any other answer is a no, and so is the end of the input. */
export async function confirm(
  question: string,
  terminal: { input: NodeJS.ReadStream; output: NodeJS.WriteStream },
): Promise<boolean> {
  const reader = createInterface(terminal);
  const ended = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([reader.question(`${question} (yes or no) `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}
