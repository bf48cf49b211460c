import { createInterface } from 'node:readline';
import { FirebreakError } from '../../core/errors.js';

/** What init was told; undefined where nothing was said. */
export interface InitOptions {
  name: string | undefined;
  host: string | undefined;
  user: string | undefined;
  port: string | undefined;
  stateDir: string | undefined;
  mailTo: string | undefined;
  /** Whether to make a key pair. */
  key: boolean | undefined;
}

const questions = [
  ['host', 'Address or host name of the firewall', ''],
  ['name', 'What to call it', 'edge'],
  ['user', 'Who logs in there', 'root'],
  ['port', 'Its SSH port', '22'],
  ['stateDir', 'Folder for the ledger', '/var/lib/firebreak'],
  ['mailTo', 'Who is told when a block is not in force (an address, or nothing)', ''],
] as const;

/** Fills in what was not said: by asking where somebody is there, else by the defaults. */
export async function completeAnswers(
  told: InitOptions,
  terminal: { input: NodeJS.ReadStream; output: NodeJS.WriteStream } | undefined,
): Promise<Record<(typeof questions)[number][0], string> & { key: boolean }> {
  const reader = terminal && createInterface(terminal);
  const lines = reader?.[Symbol.asyncIterator](); // keeps what is pasted ahead of its question
  const ask = async (question: string, otherwise: string): Promise<string> => {
    if (reader === undefined || lines === undefined) return otherwise;
    reader.setPrompt(`${question}${otherwise === '' ? '' : ` [${otherwise}]`}: `);
    reader.prompt();
    const said = await lines.next();
    if (said.done === true)
      throw new FirebreakError(
        'usage',
        'no answer: nothing was written; call it again, or see firebreak init --help for options',
      );
    return said.value.trim() || otherwise;
  };
  try {
    const answers = { host: '', name: '', user: '', port: '', stateDir: '', mailTo: '' };
    for (const [key, question, otherwise] of questions) answers[key] = told[key] ?? (await ask(question, otherwise));
    const key = told.key ?? (await ask('Make a key pair for it (yes or no)', reader ? 'yes' : 'no')).startsWith('y');
    return { ...answers, key };
  } finally {
    reader?.close();
  }
}
