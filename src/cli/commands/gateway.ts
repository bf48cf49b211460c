import { answerGateway, makeAuthorizedKey } from '../../app/gateway-session.js';
import { scrubEnvironment } from '../../intake/gateway.js';
import { isAlarmId } from '../../intake/hand-over.js';
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
      alarm: { type: 'string', requiresArg: true, hidden: true, coerce: readAlarmId },
      c: { type: 'string', requiresArg: true, describe: 'the command, as sshd passes it to a login shell' },
    }),
  run: async (args, caller): Promise<Output> => {
    if (args['authorized-key'] !== undefined) {
      const line = await makeAuthorizedKey(args['authorized-key'], caller.configFile);
      return { exit: 0, text: line, json: { line } };
    }
    const command = scrubEnvironment(process.env) ?? args.c ?? '';
    return { ...(await answerGateway(command, caller, args.alarm)), json: {} };
  },
});

/** Of the process that handed the alarm to a running Firebreak first. */
const readAlarmId = (text: string | undefined): string | undefined =>
  text !== undefined && isAlarmId(text) ? text : undefined;
