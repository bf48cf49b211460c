import { parseAnchor, readLastEntries, verifyAudit, type Verified } from '../../app/verify-audit.js';
import { withReader } from '../../app/context.js';
import { widthOf } from '../../runtime/terminal.js';
import { toAuditLines } from '../../views/audit-line.js';
import { count } from '../../views/count.js';
import { defineCommand, type Output } from '../command.js';

/** How many entries are shown. */
const shown = 20;

export const audit = defineCommand({
  usage: 'audit [older..]',
  summary: 'show recent decisions; --verify detects forged and missing entries',
  options: (argv) =>
    argv
      .positional('older', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'archived logs, oldest first',
      })
      .options({
        verify: { type: 'boolean', default: false, describe: 'verify the whole chain' },
        anchor: {
          type: 'string',
          requiresArg: true,
          describe: 'verify the chain, and that it contains this entry: NUMBER:HASH from a digest or syslog',
        },
      }),
  run: ({ older, verify, anchor }, caller) => {
    const head = anchor === undefined ? undefined : parseAnchor(anchor);
    return withReader(caller, async (app) => {
      if (verify || head !== undefined) return toVerifyOutput(await verifyAudit({ older, anchor: head }, app));
      const entries = await readLastEntries(shown, older, app);
      const lines = entries.map((entry) => toAuditLines(entry, widthOf()));
      return { exit: 0, text: lines.length === 0 ? 'no entries' : lines.join('\n'), json: { entries } };
    });
  },
});

function toVerifyOutput({ entries, breaks, head }: Verified): Output {
  const json = { entries, breaks, head: head === undefined ? null : `${head.seq}:${head.hash}` };
  if (breaks.length === 0) return { exit: 0, text: `${count(entries, 'entry', 'entries')}: intact`, json };
  return { exit: 1, text: [`${count(entries, 'entry', 'entries')}: BROKEN`, ...breaks].join('\n'), json };
}
