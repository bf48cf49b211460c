import { unreachable } from '../../core/errors.js';
import { explainUnreachable } from './ssh-errors.js';
import type * as z from 'zod';
import type { ResultEvent, RunEvent } from './events.js';
import type { ProcessResult } from './process.js';

/** How a run ended; `result` is what its playbook reported. */
export type RunResult<T> =
  | { kind: 'done'; result: T }
  | { kind: 'unreachable'; message: string }
  /** `task` is the step that failed; empty if none did. */
  | { kind: 'failed'; code: string; task: string; message: string }
  | { kind: 'timeout'; ms: number }
  | { kind: 'interrupted'; signal: string }
  | { kind: 'not_started'; message: string };

/**
 * Reads a run from its events. Ansible's return codes are ambiguous (0 without a host, 2 and 4 for two things each):
 * success is code 0 and a stats event that names the host without a failure.
 * @param stderr ansible's own, for a run that ended before its first event
 */
export function toRunResult<T>(
  ended: ProcessResult,
  events: readonly RunEvent[],
  { host, stderr, schema }: { host: string; stderr: string; schema: z.ZodType<T> },
): RunResult<T> {
  switch (ended.kind) {
    case 'timeout':
    case 'interrupted':
      return ended;
    case 'missing':
      return { kind: 'not_started', message: `${ended.command}: no such program` };
    case 'exited':
      return toExitedResult(ended.code, events, { host, stderr, schema });
    default:
      return unreachable(ended);
  }
}

function toExitedResult<T>(
  code: number,
  events: readonly RunEvent[],
  { host, stderr, schema }: { host: string; stderr: string; schema: z.ZodType<T> },
): RunResult<T> {
  const bad = events.filter((event): event is ResultEvent => isBad(event, host));
  const unreached = bad.find(({ status }) => status === 'unreachable');
  if (unreached !== undefined) return { kind: 'unreachable', message: explainUnreachable(plain(unreached.msg ?? '')) };

  // The last failure has the role's own message, because a rescue ends by reporting what happened.
  const failure = bad.at(-1);
  const stats = events.find((event) => event.event === 'stats');
  const custom = schema.safeParse(stats?.custom[host]?.firebreak);
  const counts = stats?.hosts[host];
  const clean = counts !== undefined && counts.failures === 0 && counts.unreachable === 0;
  if (code === 0 && clean && custom.success) return { kind: 'done', result: custom.data };
  if (failure !== undefined) {
    const { error, msg } = failure;
    const task = bad[0]?.task ?? ''; // a later failure belongs to the rollback
    return { kind: 'failed', code: error?.code ?? 'task_failed', task, message: plain(error?.message ?? msg ?? '') };
  }
  const message = `ansible-playbook exited with ${code}: ${firstError(stderr)}`;
  if (stats === undefined) return { kind: 'not_started', message };
  return { kind: 'failed', code: 'no_result', task: '', message };
}

const isBad = (event: RunEvent, host: string): boolean =>
  event.event === 'result' &&
  event.host === host &&
  event.ignored !== true &&
  (event.status === 'failed' || event.status === 'unreachable');

function firstError(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return plain(lines.find((line) => /^(ERROR|\[ERROR\]|fatal)/.test(line)) ?? lines.find((line) => line !== '') ?? '');
}

const plain = (text: string): string =>
  text
    .replace(/[\r\n\t ]+/g, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .trim() || 'no message';
