import { makeAlarmQueue } from '../../app/alarm-queue.js';
import { makeApplier } from '../../app/apply-soon.js';
import { withApp } from '../../app/context.js';
import { takeHandedOver } from '../../app/intake-socket.js';
import { runForeground } from '../../app/run-foreground.js';
import { FirebreakError } from '../../core/errors.js';
import { defineCommand } from '../command.js';
import { printLine } from '../output.js';
import { toDrainOutput } from './drain.js';

export const run = defineCommand({
  usage: 'run',
  summary: 'do in the foreground what the timers do, such as in a container, until a signal stops it',
  options: (argv) => argv,
  run: (args, caller) => {
    if ('json' in args && args.json) {
      throw new FirebreakError('usage', 'run: has no end, so it cannot print one JSON document');
    }
    return withApp(caller, async (app) => {
      printLine(`running: expire each minute, drain every 15 s, reconcile each hour; configuration ${app.configFile}`);
      let last = '';
      const applier = makeApplier(app);
      const taking = takeHandedOver({ app, queue: makeAlarmQueue(app), applier });
      await runForeground(app, (drained) => {
        const text = toDrainOutput(drained).text ?? '';
        const isRepeated = drained.frozen !== undefined && text === last;
        if (drained.frozen !== undefined || drained.blocks.length > 0) {
          if (!isRepeated) text.split('\n').forEach(printLine);
        }
        last = text;
      });
      await Promise.all([taking, applier.finish()]);
      printLine(`stopped by ${String(app.stop.reason)}`);
      return { exit: 0, text: undefined, json: {} };
    });
  },
});
