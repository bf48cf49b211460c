import { withApp } from '../../app/context.js';
import { setObserving, type ObserveChange } from '../../app/observe.js';
import { FirebreakError, quoteBack } from '../../core/errors.js';
import { count } from '../../views/count.js';
import { defineCommand, firewall } from '../command.js';

export const observe = defineCommand({
  usage: 'observe <mode>',
  summary: 'on: alarms become recorded dry runs, and nothing changes on the firewalls; off: they block again',
  options: (argv) =>
    argv.positional('mode', { type: 'string', demandOption: true, describe: 'on or off' }).options({ firewall }),
  run: ({ mode, firewall: firewalls }, caller) => {
    if (mode !== 'on' && mode !== 'off')
      throw new FirebreakError('usage', `expected on or off, got ${quoteBack(mode)}`);
    return withApp(caller, async (app) => {
      const change = await setObserving(mode === 'on', firewalls, app);
      const { firewalls: names, ended, configured } = change;
      return {
        exit: mode === 'off' && configured.length > 0 ? 2 : 0,
        text: names.map((name) => `${name}: ${describe(name, mode, change)}`).join('\n'),
        json: { mode, firewalls: names, ended, configured },
      };
    });
  },
});

function describe(name: string, mode: 'on' | 'off', { configured, ended }: ObserveChange): string {
  if (mode === 'on') return 'observes only: new blocks are dry runs; those in force stay, and are still released';
  if (configured.includes(name)) return `still observes only: firewalls.${name}.mode is observe`;
  return `blocks again; ${count(ended, 'observed block')} ended`;
}
