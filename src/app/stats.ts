import { hostname } from 'node:os';
import { parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { historyToJson } from '../views/stats-json.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';

export interface ReportOptions {
  since: string;
  format: string;
}

/** What happened since then, for a person, a browser or a program. */
export async function report(options: ReportOptions, context: CommandContext): Promise<CommandResult> {
  const format = parseFormat(options.format);
  const spanMs = parseSince(options.since);
  return withLedger(context, async ({ ledger }) => {
    const history = await ledger.findHistory(spanMs === null ? 0 : (await ledger.now()) - spanMs);
    const json = historyToJson(history);
    switch (format) {
      case 'json':
        return { exit: 0, text: JSON.stringify(json), json };
      case 'html': {
        const { historyToHtml } = await import('../views/stats-html.js');
        return { exit: 0, text: historyToHtml(history, hostname()), json };
      }
      case 'text': {
        const { historyToText } = await import('../views/stats-text.js');
        return { exit: 0, text: historyToText(history), json };
      }
    }
  });
}

const formats = ['text', 'html', 'json'] as const;

function parseFormat(text: string): (typeof formats)[number] {
  const format = formats.find((each) => each === text);
  if (format === undefined) {
    throw new FirebreakError('usage', `--format: expected ${formats.join(', ')}, got ${quoteBack(text)}`);
  }
  return format;
}

/** Milliseconds; null is from the first alarm on. */
function parseSince(text: string): number | null {
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new FirebreakError('usage', `--since: expected such as 90m, 24h, 30d or forever, got ${quoteBack(text)}`);
  }
  return ms;
}
