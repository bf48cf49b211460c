import { openLedger, withHost } from '../../app/context.js';
import { FirebreakError } from '../../core/errors.js';
import { runServer } from '../../serve/run-server.js';
import { defineCommand } from '../command.js';
import { printLine } from '../output.js';

/** A sender waits less long for a busy ledger than a process of its own would. */
const patienceMs = 15_000;

export const serve = defineCommand({
  usage: 'serve',
  summary: 'accept alarms over HTTP, and do what the timers do, until a signal stops it',
  options: (argv) =>
    argv.option('listen', {
      type: 'string',
      requiresArg: true,
      describe: 'ADDRESS:PORT; default: serve.listen of the configuration',
    }),
  run: ({ listen, ...rest }, caller) => {
    if ('json' in rest && rest.json)
      throw new FirebreakError('usage', 'serve: has no end, so it cannot print one JSON document');
    return withHost(caller, async (host) => {
      const { dispatch } = host.config;
      const config = { ...host.config, dispatch: { ...dispatch, patience: Math.min(dispatch.patience, patienceMs) } };
      const ledger = await openLedger({ ...host, config });
      try {
        await runServer({ ...host, config, ledger }, listen ?? config.serve.listen, (url) =>
          printLine(`listening on ${url}; configuration ${host.configFile}`),
        );
        printLine(`stopped by ${String(host.stop.reason)}`);
        return { exit: 0 };
      } finally {
        await ledger.close();
      }
    });
  },
});
