import { answerGateway, makeAuthorizedKey } from '../../app/gateway-session.js';
import { FirebreakError } from '../../core/errors.js';
import { scrubEnvironment } from '../../intake/gateway.js';
import { toAnswerOutput } from '../../views/answer.js';
import { errorToJson } from '../../views/json.js';
import { defineCommand, type Output } from '../command.js';

/** The far end of a SIEM's SSH login: accepts one alarm, in its own grammar, and is not a shell. */
export const gateway = defineCommand({
  usage: 'gateway',
  summary: 'accept one alarm over SSH; sshd runs this command for a login',
  options: (argv) =>
    argv.options({
      'authorized-key': {
        type: 'string',
        requiresArg: true,
        describe: 'print the authorized_keys line of a public key',
      },
      c: { type: 'string', requiresArg: true, describe: 'the command, as sshd passes it to a login shell' },
    }),
  run: async (args, caller): Promise<Output> => {
    if (args['authorized-key'] !== undefined) {
      const line = await makeAuthorizedKey(args['authorized-key'], caller.configFile);
      return { exit: 0, text: line, json: { line } };
    }
    const command = scrubEnvironment(process.env) ?? args.c ?? '';
    const { answer, json } = await answerGateway(command, caller);
    const output = answer instanceof FirebreakError ? toErrorOutput(answer) : toAnswerOutput(answer);
    const exit = output.exit === 2 ? 75 : output.exit; // applied, but not recorded: the caller must send it again
    return { ...output, exit, ...(json && { text: JSON.stringify(output.json) }) };
  },
});

const toErrorOutput = (error: FirebreakError): Output => ({ exit: error.exit, text: '', json: errorToJson(error) });
