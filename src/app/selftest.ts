import { selectFirewalls } from '../config/select.js';
import type { Block } from '../core/block.js';
import { exitCodeOf, type RunSummary } from '../core/outcome.js';
import { readBlockArguments } from '../intake/argv.js';
import type { Host } from '../runtime/app.js';
import { openLedger } from './context.js';
import { release } from './release.js';
import { submitAlarm } from './submit.js';

/** One step on one firewall: how it ended, and how long it took. */
export interface SelftestStep {
  ms: number;
  exit: number;
  block: Block | undefined;
  run: RunSummary | null;
}

export interface SelftestResult {
  firewall: string;
  block: SelftestStep;
  /** Undefined if nothing was recorded that could be released. */
  release: SelftestStep | undefined;
}

/** Documentation addresses (RFC 5737), which are never in use. */
const flow = { SOURCE: '203.0.113.253', DESTINATION: '198.51.100.253', PORT: '22' };

/**
 * Blocks a documentation address on each firewall for real, one after the other, proves it, and releases it. If the
 * release fails, the block expires after its duration.
 */
export async function selftest(
  { firewalls, duration }: { firewalls: readonly string[]; duration: string },
  host: Host,
): Promise<SelftestResult[]> {
  host.catchSignals();
  const results: SelftestResult[] = [];
  for (const [firewall] of selectFirewalls(host.config, firewalls)) results.push(await test(firewall, duration, host));
  return results;
}

async function test(firewall: string, duration: string, host: Host): Promise<SelftestResult> {
  const request = readBlockArguments({ ...flow, for: duration, description: 'firebreak selftest' });
  const options = { firewalls: [firewall], check: false, wait: true, recheck: true };
  const block = await time(() => submitAlarm(request, options, host));
  const id = block.block?.id;
  if (id === undefined || block.block?.state === 'refused') return { firewall, block, release: undefined };
  const query = { targets: [id], firewalls: [], check: false, wait: true };
  const ledger = await openLedger(host);
  try {
    return { firewall, block, release: await time(() => release(query, { ...host, ledger })) };
  } finally {
    await ledger.close();
  }
}

async function time(work: () => ReturnType<typeof submitAlarm>): Promise<SelftestStep> {
  const began = performance.now();
  const answer = await work();
  return {
    ms: Math.round(performance.now() - began),
    exit: exitCodeOf(answer),
    block: answer.blocks[0],
    run: answer.run,
  };
}
