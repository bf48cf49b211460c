import { withApp } from '../../app/context.js';
import { reconcile as compare } from '../../app/reconcile.js';
import { driftToJson, driftToText } from '../../views/drift-view.js';
import { defineCommand, firewall } from '../command.js';

export const reconcile = defineCommand({
  usage: 'reconcile',
  summary: 'compare ledger and firewalls: missing, changed and unknown rules',
  options: (argv) =>
    argv.options({
      fix: { type: 'boolean', default: false, describe: 'make the firewalls match the ledger' },
      firewall,
    }),
  run: ({ fix, firewall: firewalls }, caller) =>
    withApp(caller, async (app) => {
      const found = await compare({ fix, firewalls }, app);
      return {
        exit: Math.max(...found.map(({ exit }) => exit)),
        text: found.map((each) => driftToText(each, fix)).join('\n'),
        json: { fixed: fix, firewalls: found.map(driftToJson) },
      };
    }),
});
