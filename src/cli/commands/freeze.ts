import { withApp } from '../../app/context.js';
import { drain } from '../../app/drain.js';
import { describeBegin, describeFreeze, freeze as stopChanges, unfreeze as resumeChanges } from '../../app/freeze.js';
import { defineCommand } from '../command.js';
import { toDrainOutput } from './drain.js';

export const freeze = defineCommand({
  usage: 'freeze [reason..]',
  summary: 'stop all changes on all firewalls; requests are queued',
  options: (argv) =>
    argv.positional('reason', { type: 'string', array: true, default: [] as string[], describe: 'why' }),
  run: ({ reason }, caller) =>
    withApp(caller, async (app) => {
      const frozen = await stopChanges(reason.join(' '), app);
      const text =
        frozen === undefined
          ? 'another operator has unfrozen all changes meanwhile'
          : `${describeFreeze(frozen)}; run firebreak unfreeze to resume`;
      return { exit: 0, text, json: { frozen: frozen ?? null } };
    }),
});

export const unfreeze = defineCommand({
  usage: 'unfreeze',
  summary: 'resume changes and apply what is queued',
  options: (argv) => argv,
  run: (_, caller) =>
    withApp(caller, async (app) => {
      const ended = await resumeChanges(app);
      if (ended === undefined) return { exit: 0, text: 'nothing was frozen', json: { blocks: [] } };
      const output = toDrainOutput(await drain({ expire: false }, app));
      return { ...output, text: `resumed; changes were frozen since ${describeBegin(ended)}\n${output.text ?? ''}` };
    }),
});
