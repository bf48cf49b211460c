import { createInterface } from 'node:readline';
import path from 'node:path';
import { FirebreakError } from '../../core/errors.js';

/** The options of init; undefined if not given. */
export interface InitOptions {
  name: string | undefined;
  host: string | undefined;
  user: string | undefined;
  port: string | undefined;
  stateDir: string | undefined;
  mailTo: string | undefined;
  /** Whether to create a key pair. */
  key: boolean | undefined;
}

/** Where the ledger lies unless it is said: that of a configuration elsewhere is beside it, such as for a trial. */
export const defaultStateDir = (configFile: string): string =>
  path.dirname(configFile) === '/etc/firebreak' ? '/var/lib/firebreak' : path.join(path.dirname(configFile), 'state');

const questionsFor = (configFile: string) =>
  [
    ['host', 'Address or host name of the firewall', ''],
    ['name', 'Its name in the configuration', 'edge'],
    ['user', 'SSH login', 'root'],
    ['port', 'SSH port', '22'],
    ['stateDir', 'Folder for the ledger', defaultStateDir(configFile)],
    ['mailTo', 'Mail address for failures (empty for no mail)', ''],
  ] as const;

/** Completes the options: asks on a terminal, otherwise uses the defaults. */
export async function completeAnswers(
  given: InitOptions,
  configFile: string,
  terminal: { input: NodeJS.ReadStream; output: NodeJS.WriteStream } | undefined,
): Promise<Record<ReturnType<typeof questionsFor>[number][0], string> & { key: boolean }> {
  const reader = terminal && createInterface(terminal);
  const lines = reader?.[Symbol.asyncIterator](); // so that input pasted ahead of its question is not lost
  const ask = async (question: string, fallback: string): Promise<string> => {
    if (reader === undefined || lines === undefined) return fallback;
    reader.setPrompt(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `);
    reader.prompt();
    const line = await lines.next();
    if (line.done === true)
      throw new FirebreakError(
        'usage',
        'no answer: nothing was written; run it again, or see firebreak init --help for options',
      );
    return line.value.trim() || fallback;
  };
  try {
    const answers = { host: '', name: '', user: '', port: '', stateDir: '', mailTo: '' };
    const questions = questionsFor(configFile);
    for (const [key, question, fallback] of questions) answers[key] = given[key] ?? (await ask(question, fallback));
    const key = given.key ?? (await ask('Create an SSH key pair (yes or no)', reader ? 'yes' : 'no')).startsWith('y');
    return { ...answers, key };
  } finally {
    reader?.close();
  }
}
