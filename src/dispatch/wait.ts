import { ulid } from 'ulid';
import { isOver, type Block } from '../core/block.js';
import type { Lease, Ledger } from '../ledger/ledger.js';
import { carryAll, type Parts } from './drain-firewall.js';

/** How long a follower sleeps at most before it looks whether the holder is still alive. */
const lookMs = 1000;

/** Has a run, or nobody, still to see to what was asked for? */
const isOpen = (asked: Block, now: Block): boolean =>
  now.tried < asked.revision && now.dueAt !== null && !isOver(now) && now.state !== 'held';

/**
 * Sees to it that what was asked for is settled: carries it where the lease is ours or free, else waits for its holder.
 * @param leases that were taken when the request was kept
 * @returns the blocks as they stand then, in the same order; some may still be open when the time is up or many wait
 */
export async function settleAsked(asked: readonly Block[], leases: readonly Lease[], parts: Parts): Promise<Block[]> {
  await Promise.all(leases.map((lease) => carryAll(lease, parts)));
  const waiter = ulid();
  const { ledger, config, stop } = parts;
  const forMs = 2 * config.ansible.timeout + 30_000;
  const deadline = performance.now() + forMs;
  let current = await readAgain(ledger, asked);
  let isWaiting = false;
  let endWait: (() => void) | undefined;
  try {
    for (let open = openOf(asked, current); open.length > 0 && !stop.aborted; open = openOf(asked, current)) {
      if (performance.now() > deadline || (await ledger.findFreeze()) !== undefined) break;
      isWaiting ||= await ledger.beginWaiting(waiter, config.dispatch.max_waiting, forMs);
      if (!isWaiting) break;
      endWait ??= parts.wait?.(firewallsOf(open).join(', '), "waits for another process's run to carry it");
      if (!(await carryOrphans(open, waiter, parts))) await ledger.waitForChange(lookMs);
      current = await readAgain(ledger, asked);
    }
  } finally {
    endWait?.();
    if (isWaiting) await ledger.endWaiting(waiter);
  }
  return current;
}

function openOf(asked: readonly Block[], current: readonly Block[]): Block[] {
  return current.filter((block, index) => {
    const request = asked[index];
    return request !== undefined && isOpen(request, block);
  });
}

async function readAgain(ledger: Ledger, asked: readonly Block[]): Promise<Block[]> {
  const found = await ledger.findBlocks({ ids: asked.map(({ id }) => id) });
  const byId = new Map(found.map((block) => [block.id, block]));
  return asked.map((block) => byId.get(block.id) ?? block);
}

const firewallsOf = (blocks: readonly Block[]): string[] => [...new Set(blocks.map(({ firewall }) => firewall))];

/** Takes over where a holder is gone. Were its lease still alive, this takes nothing. */
async function carryOrphans(open: readonly Block[], owner: string, parts: Parts): Promise<boolean> {
  const now = await parts.ledger.now();
  const firewalls = new Set(open.filter(({ dueAt }) => dueAt !== null && dueAt <= now).map((one) => one.firewall));
  const leases = await acquireAll([...firewalls], owner, parts.ledger);
  await Promise.all(leases.map((lease) => carryAll(lease, parts)));
  return leases.length > 0;
}

export async function acquireAll(firewalls: readonly string[], owner: string, ledger: Ledger): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (const firewall of firewalls) {
    const lease = await ledger.acquireLease(firewall, owner);
    if (lease !== undefined) leases.push(lease);
  }
  return leases;
}
