import { resolve } from 'node:path';
import { FirebreakError, quoteBack } from '../../core/errors.js';
import { completeAnswers } from '../../setup/init/answers.js';
import { writeSetup, type Plan, type Written } from '../../setup/init/write.js';
import { defineCommand } from '../command.js';

const options = {
  host: { type: 'string', requiresArg: true, describe: 'address or name of the firewall' },
  name: { type: 'string', requiresArg: true, describe: 'its name in the configuration (edge)' },
  user: { type: 'string', requiresArg: true, describe: 'login name on the firewall (root)' },
  port: { type: 'string', requiresArg: true, describe: 'its SSH port (22)' },
  'state-dir': {
    type: 'string',
    requiresArg: true,
    describe: 'folder for the ledger (/var/lib/firebreak, or beside --config)',
  },
  'mail-to': { type: 'string', requiresArg: true, describe: 'address to notify when a block is not in force' },
  key: { type: 'boolean', describe: 'create a key pair for it' },
} as const;

export const init = defineCommand({
  usage: 'init',
  summary: 'write a first configuration and the files it needs; prompt on a terminal',
  options: (argv) => argv.options(options),
  run: async ({ host, name, user, port, key, ...args }, caller) => {
    const { stdin, stderr } = process;
    const given = { host, name, user, port, key, stateDir: args['state-dir'], mailTo: args['mail-to'] };
    const configFile = resolve(caller.configFile ?? '/etc/firebreak/firebreak.yml');
    const terminal = stdin.isTTY ? { input: stdin, output: stderr } : undefined;
    const answers = await completeAnswers(given, configFile, terminal);
    if (answers.host === '')
      throw new FirebreakError('usage', 'host: the address of the firewall is missing; give --host ADDRESS');
    const plan = { ...answers, port: parsePort(answers.port), stateDir: resolve(answers.stateDir), configFile };
    const written = await writeSetup(plan);
    const json = { files: written.files, public_key: written.publicKey ?? null };
    return { exit: 0, text: describeWritten(plan, written), json };
  },
});

function parsePort(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new FirebreakError('usage', `port: expected 1-65535, got ${quoteBack(text)}`);
}

/** The files written, and the remaining steps. */
function describeWritten(
  { user, host, port, configFile }: Plan,
  { files, knownHostsFile, publicKey }: Written,
): string {
  const steps = [
    ...(publicKey === undefined ? [] : [`authorize this key for ${user} on ${host}:\n     ${publicKey}`]),
    `record its host key, and compare it with the one on its console:\n     ssh-keyscan -p ${port} ${host} >>${knownHostsFile}`,
    'list the addresses that must never be blocked in policy.never_block',
    `check the setup: firebreak --config ${configFile} doctor`,
  ];
  return ['wrote', ...files.map((file) => `  ${file}`), 'now', ...steps.map((step, at) => `  ${at + 1}. ${step}`)].join(
    '\n',
  );
}
