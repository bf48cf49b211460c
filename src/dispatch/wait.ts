import { ulid } from 'ulid';
import { isOver, type Block } from '../core/block.js';
import type { Lease, Ledger } from '../ledger/ledger.js';
import { drainFirewall, type DispatchContext, type DispatchOptions } from './drain-firewall.js';

/** The longest sleep of a follower before it checks that the holder is still alive. */
const maxSleepMs = 1000;

/** Is the request still to be applied? */
const isOpen = (requested: Block, now: Block): boolean =>
  now.doneRevision < requested.revision && now.dueAt !== null && !isOver(now) && now.state !== 'held';

/**
 * Applies the request: in our own runs if the lease is ours or free, else by waiting for its holder.
 * @param leases acquired when the request was recorded
 * @returns the blocks afterwards, in the same order; some may still be open if the time is up or too many wait
 */
export async function applyAndWait(
  { blocks: requested, leases }: { blocks: readonly Block[]; leases: readonly Lease[] },
  app: DispatchContext,
  options: DispatchOptions,
): Promise<Block[]> {
  await Promise.all(leases.map((lease) => drainFirewall(lease, app, options)));
  const { ledger, config, stop, screen } = app;
  const waiter = ulid();
  const maxMs = 2 * config.ansible.timeout + 30_000;
  const deadline = performance.now() + maxMs;
  let current = await reload(ledger, requested);
  let isWaiting = false;
  let endWait: (() => void) | undefined;
  try {
    for (let open = stillOpen(requested, current); open.length > 0; open = stillOpen(requested, current)) {
      if (stop.aborted || performance.now() > deadline || (await ledger.findFreeze()) !== undefined) break;
      isWaiting ||= await ledger.beginWaiting(waiter, config.dispatch.max_waiting, maxMs);
      if (!isWaiting) break;
      endWait ??= screen.wait(firewallsOf(open).join(', '), 'waiting for another process');
      if (!(await drainOrphans({ open, owner: waiter }, app, options))) await ledger.waitForChange(maxSleepMs);
      current = await reload(ledger, requested);
    }
  } finally {
    endWait?.();
    if (isWaiting) await ledger.endWaiting(waiter);
  }
  return current;
}

const stillOpen = (requested: readonly Block[], current: readonly Block[]): Block[] =>
  current.filter((block, index) => {
    const request = requested[index];
    return request !== undefined && isOpen(request, block);
  });

async function reload(ledger: Ledger, requested: readonly Block[]): Promise<Block[]> {
  const found = await ledger.findBlocks({ ids: requested.map(({ id }) => id) });
  const byId = new Map(found.map((block) => [block.id, block]));
  return requested.map((block) => byId.get(block.id) ?? block);
}

const firewallsOf = (blocks: readonly Block[]): string[] => [...new Set(blocks.map(({ firewall }) => firewall))];

/** Takes over from a holder that has died. Does nothing while its lease is valid. */
async function drainOrphans(
  { open, owner }: { open: readonly Block[]; owner: string },
  app: DispatchContext,
  options: DispatchOptions,
): Promise<boolean> {
  const now = await app.ledger.now();
  const due = open.filter(({ dueAt }) => dueAt !== null && dueAt <= now);
  const leases = await acquireLeases(firewallsOf(due), owner, app.ledger);
  await Promise.all(leases.map((lease) => drainFirewall(lease, app, options)));
  return leases.length > 0;
}

/** Acquires the leases of those firewalls that no other process holds. */
export async function acquireLeases(firewalls: readonly string[], owner: string, ledger: Ledger): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (const firewall of firewalls) {
    const lease = await ledger.acquireLease(firewall, owner);
    if (lease !== undefined) leases.push(lease);
  }
  return leases;
}

/** The same for the firewalls of those blocks that are due. */
export const acquireDueLeases = (blocks: readonly Block[], owner: string, ledger: Ledger): Promise<Lease[]> =>
  acquireLeases(firewallsOf(blocks.filter(({ dueAt }) => dueAt !== null)), owner, ledger);
