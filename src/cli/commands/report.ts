import { withReader } from '../../app/context.js';
import { readObserved } from '../../app/observed.js';
import { FirebreakError, quoteBack } from '../../core/errors.js';
import type { History } from '../../core/stats.js';
import { observedToJson, observedToText } from '../../views/observed-text.js';
import { historyToJson } from '../../views/stats-json.js';
import { defineCommand, parseSpan, since } from '../command.js';

export const report = defineCommand({
  usage: 'report',
  summary: 'summarise recent activity: blocks by hour, top sources, time to proof, failures',
  options: (argv) =>
    argv.options({
      since,
      observed: { type: 'boolean', default: false, describe: 'what observe mode would have blocked' },
      format: { type: 'string', requiresArg: true, default: 'text', describe: 'text, html, csv or json' },
    }),
  run: (args, caller) => {
    const format = parseFormat(args.format);
    const spanMs = parseSpan('--since', args.since);
    if (args.observed && args.format !== 'text')
      throw new FirebreakError('usage', '--observed: has no other format than text and --json');
    return withReader(caller, async (app) => {
      const { ledger, host } = app;
      const from = spanMs === null ? 0 : (await ledger.now()) - spanMs;
      if (args.observed) {
        const report = await readObserved(from, app);
        return { exit: 0, text: observedToText(report), json: observedToJson(report) };
      }
      const history = await ledger.findHistory(from);
      return { exit: 0, text: await formats[format](history, host), json: historyToJson(history) };
    });
  },
});

const formats = {
  text: async (history: History) => (await import('../../views/stats-text.js')).historyToText(history),
  html: async (history: History, host: string) =>
    (await import('../../views/stats-html.js')).historyToHtml(history, host),
  csv: async (history: History) => (await import('../../views/stats-csv.js')).historyToCsv(history),
  json: (history: History) => Promise.resolve(JSON.stringify(historyToJson(history))),
};

function parseFormat(text: string): keyof typeof formats {
  if (Object.hasOwn(formats, text)) return text as keyof typeof formats;
  throw new FirebreakError('usage', `--format: expected ${Object.keys(formats).join(', ')}, got ${quoteBack(text)}`);
}
