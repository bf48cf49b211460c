import { exitOf } from '../../core/check.js';
import { diagnose } from '../../doctor/diagnose.js';
import { prepareStop } from '../../runtime/shutdown.js';
import { wantsColour } from '../../runtime/terminal.js';
import { checksToJson, checksToText } from '../../views/checks.js';
import { defineCommand, firewall } from '../command.js';

export const doctor = defineCommand({
  usage: 'doctor',
  summary: 'check everything a block needs, finish with a dry run, and say how to fix problems',
  options: (argv) =>
    argv.options({
      send: { type: 'boolean', default: false, describe: 'send a test mail as well' },
      firewall,
    }),
  run: async ({ send, firewall: firewalls }, caller) => {
    const signals = prepareStop();
    signals.catchSignals();
    const { configFile, screen } = caller;
    const { sections } = await diagnose({ configFile, firewalls, send, stop: signals.stop, screen });
    signals.release();
    return {
      exit: exitOf(sections),
      text: checksToText(sections, wantsColour()),
      isPrintable: true,
      json: checksToJson(sections),
    };
  },
});
