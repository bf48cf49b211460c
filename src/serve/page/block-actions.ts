import { toDuration } from '../../app/allow.js';
import { commentOnBlock, extendBlock } from '../../app/amend.js';
import { requestDecision } from '../../app/decide.js';
import { requestRelease } from '../../app/release.js';
import { isOver, type Block } from '../../core/block.js';
import { formatDuration } from '../../core/duration.js';
import type { App } from '../../runtime/app.js';
import { count } from '../../views/count.js';
import type { Role } from '../people/page-route.js';

/** What a person may do with blocks. */
export interface Action {
  role: Role;
  /** On the button. */
  verb: string;
  isDangerous: boolean;
  /** Whether it can be done with several blocks at once. */
  isBulk: boolean;
  /** The field that its form has besides. */
  field: 'reason' | 'reason required' | 'duration' | 'comment' | 'none';
  appliesTo: (block: Block) => boolean;
  /** What exactly will happen. */
  foretell: (blocks: readonly Block[], app: App) => string;
  /** @returns the blocks that it changed */
  run: (ids: readonly string[], fields: URLSearchParams, app: App) => Promise<Block[]>;
  /** What it did. */
  report: (many: number) => string;
}

const isHeld = ({ state }: Block): boolean => state === 'held';

const isRetriable = ({ state, failures }: Block): boolean =>
  state === 'failed' || (failures > 0 && (state === 'pending' || state === 'releasing'));

const isReleasable = (block: Block): boolean => !isOver(block) && !isHeld(block) && block.desired === 'present';

const nameOf = (blocks: readonly Block[]): string => {
  const [first] = blocks;
  if (first === undefined || blocks.length > 1) return `the rules of ${count(blocks.length, 'block')}`;
  return `rule ${first.tracker} (${first.flow.source}) of ${first.firewall}`;
};

const textOf = (fields: URLSearchParams, name: string): string => (fields.get(name) ?? '').trim();

const one = (ids: readonly string[]): string => ids[0] ?? '';

export const actions = {
  unblock: {
    ...{ role: 'operator', verb: 'Unblock', isDangerous: true, isBulk: true, field: 'reason' },
    appliesTo: isReleasable,
    foretell: (blocks, { config }) =>
      `Firebreak removes ${nameOf(blocks)} and proves that pf no longer has it.${
        config.defaults.grace > 0
          ? ` An alarm does not block the source again for ${formatDuration(config.defaults.grace)}.`
          : ''
      }`,
    run: (ids, fields, app) => requestRelease(ids, { reason: textOf(fields, 'reason') }, app),
    report: (many) => `Release requested: ${count(many, 'block')}.`,
  },
  approve: {
    ...{ role: 'operator', verb: 'Approve', isDangerous: false, isBulk: true, field: 'reason' },
    appliesTo: isHeld,
    foretell: (blocks) => `Firebreak adds ${nameOf(blocks)} and proves that pf has it.`,
    run: (ids, fields, app) => requestDecision('approve', { ids, reason: textOf(fields, 'reason') }, app),
    report: (many) => `Approved: ${count(many, 'block')}.`,
  },
  reject: {
    ...{ role: 'operator', verb: 'Reject', isDangerous: true, isBulk: true, field: 'reason' },
    appliesTo: isHeld,
    foretell: (blocks) => `Firebreak refuses ${count(blocks.length, 'held block')}. No firewall is changed.`,
    run: (ids, fields, app) => requestDecision('reject', { ids, reason: textOf(fields, 'reason') }, app),
    report: (many) => `Rejected: ${count(many, 'block')}.`,
  },
  retry: {
    ...{ role: 'operator', verb: 'Retry now', isDangerous: false, isBulk: true, field: 'none' },
    appliesTo: isRetriable,
    foretell: (blocks) => `Firebreak applies ${count(blocks.length, 'failed block')} again now.`,
    run: (ids, _, app) => requestDecision('retry', { ids }, app),
    report: (many) => `Retry requested: ${count(many, 'block')}.`,
  },
  extend: {
    ...{ role: 'operator', verb: 'Extend', isDangerous: false, isBulk: false, field: 'duration' },
    appliesTo: isReleasable,
    foretell: () => 'The block ends this long from now. The firewall is not changed.',
    run: async (ids, fields, app) => [
      await extendBlock(one(ids), toDuration('duration', textOf(fields, 'duration')), app),
    ],
    report: () => 'The block ends later now.',
  },
  comment: {
    ...{ role: 'operator', verb: 'Comment', isDangerous: false, isBulk: false, field: 'comment' },
    appliesTo: () => true,
    foretell: () => 'The note replaces the previous one; an empty one removes it. The firewall is not changed.',
    run: async (ids, fields, app) => [await commentOnBlock(one(ids), textOf(fields, 'comment'), app)],
    report: () => 'The note is saved.',
  },
  allow: {
    ...{ role: 'admin', verb: 'Allow the source', isDangerous: true, isBulk: false, field: 'reason required' },
    appliesTo: isReleasable,
    foretell: (blocks) =>
      `Firebreak removes ${nameOf(blocks)}, and puts its source on the allowlist: no alarm blocks it until you run firebreak disallow.`,
    run: (ids, fields, app) => requestRelease(ids, { allow: ['forever', textOf(fields, 'reason')] }, app),
    report: () => 'Release requested; the source is on the allowlist.',
  },
} as const satisfies Readonly<Record<string, Action>>;

export type ActionName = keyof typeof actions;

export const findAction = (name: string): Action | undefined =>
  Object.hasOwn(actions, name) ? actions[name as ActionName] : undefined; // as hasOwn says
