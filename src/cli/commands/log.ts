import { withReader } from '../../app/context.js';
import { followLog, readLog } from '../../app/log.js';
import { parseSource } from '../../app/match-source.js';
import { FirebreakError } from '../../core/errors.js';
import { outcomeToJson, toLogLine } from '../../views/log-line.js';
import { defineCommand, firewall, parseSpan, since } from '../command.js';
import { printLine } from '../output.js';

export const log = defineCommand({
  usage: 'log',
  summary: 'show what happened to blocks, one line each; --follow waits for more',
  options: (argv) =>
    argv.options({
      since,
      source: { type: 'string', requiresArg: true, describe: 'only this source' },
      firewall,
      follow: { type: 'boolean', default: false, describe: 'print what happens from now on, until Ctrl-C' },
    }),
  run: ({ since: span, source, firewall: firewalls, follow, ...rest }, caller) => {
    const options = {
      sinceMs: parseSpan('--since', span),
      source: source === undefined ? undefined : parseSource(source).text,
      firewalls,
    };
    if (follow && 'json' in rest && rest.json) {
      throw new FirebreakError('usage', '--follow: has no end, so it cannot print one JSON document');
    }
    return withReader(caller, async (app) => {
      if (!follow) {
        const outcomes = await readLog(options, app);
        const text = outcomes.length === 0 ? 'nothing happened' : outcomes.map(toLogLine).join('\n');
        return { exit: 0, text, json: { outcomes: outcomes.map(outcomeToJson) } };
      }
      await followLog(options, app, (outcomes) => outcomes.map(toLogLine).forEach(printLine));
      return { exit: 0, text: undefined, json: {} };
    });
  },
});
