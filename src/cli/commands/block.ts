import type { Argv, Options, PositionalOptions } from 'yargs';
import { withHost } from '../../app/context.js';
import { submitAlarms } from '../../app/submit.js';
import type { Grammar } from '../../intake/alarm-words.js';
import { bindDescription, readBlockArguments, splitSources } from '../../intake/argv.js';
import { alarmFields, positionalFields } from '../../intake/fields.js';
import { toAnswerOutput } from '../../views/answer.js';
import { check, defineCommand, firewall, wait } from '../command.js';

const own = {
  firewall,
  'override-policy': {
    type: 'string',
    requiresArg: true,
    describe: 'block against the policy, and record this reason',
  },
  recheck: { type: 'boolean', default: false, describe: 'prove a current block again, however recent its proof' },
  check,
  wait,
} as const;

const grammar: Grammar = {
  options: new Set([...alarmFields.map(({ option }) => option), 'firewall', 'override-policy', 'config']),
  isFlag: (word) => /^--(?:no-)?(?:recheck|check|wait|json|help|version)(?:=|$)/.test(word),
};

/** Positions and options of an alarm's fields, as the table has them. */
function addFields(argv: Argv): Argv {
  for (const { position, describe } of positionalFields) {
    const settings: PositionalOptions = {
      type: 'string',
      describe,
      ...(position === 'DESCRIPTION' && { array: true }),
    };
    argv.positional(position, settings);
  }
  const options = alarmFields.map(({ option, describe, position, describeOption, isContext }): [string, Options] => [
    option,
    {
      type: 'string',
      ...(isContext !== true && { requiresArg: true }),
      describe: position === undefined ? describe : (describeOption ?? `as ${position}`),
    },
  ]);
  return argv.options(Object.fromEntries(options));
}

export const block = defineCommand({
  usage: 'block [SOURCE] [DESTINATION] [PORT] [INTERFACE] [TYPE] [IPPROTO] [DESCRIPTION..]',
  summary: 'block a source on the firewalls, and prove it',
  options: (argv) => addFields(argv).options(own),
  bind: (words) => bindDescription(words, grammar),
  run: (args, caller) => {
    const { firewall: firewalls, 'override-policy': override, recheck } = args;
    const requests = splitSources(args).map(readBlockArguments);
    const options = { firewalls, override, recheck, check: args.check, wait: args.wait, isByHand: true };
    return withHost(caller, async (host) => toAnswerOutput(await submitAlarms(requests, options, host)));
  },
});
