import { resolve } from 'node:path';
import { FirebreakError } from '../core/errors.js';
import { completeAnswers, type InitOptions } from '../setup/init/answers.js';
import { writeSetup } from '../setup/init/write.js';
import type { CommandContext, CommandResult } from './result.js';

/** Writes a first configuration and what it names, and says what is left to do. */
export async function init(options: InitOptions, context: CommandContext): Promise<CommandResult> {
  const { stdin, stderr } = process;
  const answers = await completeAnswers(options, stdin.isTTY ? { input: stdin, output: stderr } : undefined);
  if (answers.host === '') throw new FirebreakError('usage', 'host: say where the firewall is: --host ADDRESS');
  const port = /^\d+$/.test(answers.port) ? Number(answers.port) : NaN;
  if (Number.isNaN(port)) throw new FirebreakError('usage', 'port: expected 1-65535');
  const configFile = resolve(context.configFile ?? '/etc/firebreak/firebreak.yml');
  const plan = { ...answers, port, stateDir: resolve(answers.stateDir), configFile };
  const { files, knownHostsFile, publicKey } = await writeSetup(plan);
  const steps = [
    ...(publicKey === undefined ? [] : [`give ${plan.user} on ${plan.host} this key:\n     ${publicKey}`]),
    `record its host key, and compare it with the one on its console:\n     ssh-keyscan -p ${port} ${plan.host} >>${knownHostsFile}`,
    'list in policy.never_block what must never be blocked',
    `look whether it works: firebreak --config ${configFile} doctor`,
  ];
  return {
    exit: 0,
    text: [
      'wrote',
      ...files.map((file) => `  ${file}`),
      'now',
      ...steps.map((step, at) => `  ${at + 1}. ${step}`),
    ].join('\n'),
    json: { files, public_key: publicKey ?? null },
  };
}
