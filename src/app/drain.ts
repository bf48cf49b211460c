import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { Block } from '../core/block.js';
import type { Expectation } from '../core/outcome.js';
import { drainFirewall } from '../dispatch/drain-firewall.js';
import type { Freeze, Lease } from '../ledger/ledger.js';
import { refreshAddresses } from '../notify/addresses.js';
import { sendDue } from '../notify/deliver.js';
import { notifyEnding } from '../notify/ending.js';
import { openRunRecorder } from '../notify/run-recorder.js';
import { lookAtRunner } from '../platforms/ansible/warm-runner.js';
import type { App } from '../runtime/app.js';
import { saveKnown, takeSpooled } from './fallback.js';
import { releaseProtected } from './release-protected.js';

export interface DrainOptions {
  /** Releases expired blocks first. */
  expire: boolean;
  /** The launcher that acquired the leases for us. */
  owner?: string | undefined;
  /** Whether a caller waits for the end: a slow mail server is then not waited for. */
  isAwaited?: boolean;
}

export interface Drained extends Pick<Expectation, 'requiredProof'> {
  blocks: Block[];
  /** The freeze, if nothing was applied because of it. */
  frozen: Freeze | undefined;
}

/** Applies all pending and due changes, on all firewalls in parallel; then sends what is queued. */
export async function drain(options: DrainOptions, given: App): Promise<Drained> {
  const app = { ...given, warn: onceEach(given.warn) };
  const drained = await applyDue(options, app);
  const sending = sendDue({ ...app, isAwaited: options.isAwaited ?? false }, options.owner).then(() => true);
  // A slow mail server does not delay changes that become due meanwhile.
  while (!(await Promise.race([sending, sleep(applyEveryMs, false, { ref: false })]))) {
    drained.blocks.push(...(await applyDue(options, app)).blocks);
  }
  return { ...drained, requiredProof: app.config.policy.require_proof };
}

/** Prints each warning once, however often its cause is found again. */
export function onceEach(warn: App['warn']): App['warn'] {
  const printed = new Set<string>();
  return (message) => {
    if (printed.has(message)) return;
    printed.add(message);
    warn(message);
  };
}

/** How often changes are applied while messages are being sent: as often as the timer would. */
const applyEveryMs = 15_000;

async function applyDue({ expire, owner }: DrainOptions, app: App): Promise<Drained> {
  const { config, ledger } = app;
  await takeSpooled(app);
  if (expire) await ledger.expire({ heldMs: config.policy.limits.hold_for, keepAlarmsMs: config.keep_alarms });
  if (expire) await notifyEnding(app);
  if (owner === undefined) await releaseProtected(app); // an alarm's own process does not compare every block
  const frozen = await ledger.findFreeze();
  if (frozen !== undefined) return { blocks: [], frozen };
  const leases = await claimLeases(app, owner);
  const applied = new Map<string, Block>();
  const recorder = openRunRecorder(app);
  const onSettled: typeof recorder.onSettled = (run) => {
    for (const block of run.blocks) applied.set(block.id, block);
    recorder.onSettled(run);
  };
  try {
    await Promise.all(leases.map((lease) => drainFirewall(lease, app, { onSettled })));
    if (expire) await refreshAddresses(app);
  } finally {
    await recorder.close();
  }
  await saveKnown(app);
  if (expire && config.ansible.warm > 0) await lookAtRunner(config.state_dir); // keeps it from ending as idle
  return { blocks: [...applied.values()], frozen: undefined };
}

async function claimLeases({ config, ledger, warn }: App, owner: string | undefined): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (const firewall of Object.keys(config.firewalls)) {
    const lease = await (owner === undefined
      ? ledger.acquireLease(firewall, ulid())
      : ledger.takeOverLease(firewall, owner));
    if (lease !== undefined) leases.push(lease);
    else if (owner === undefined) warn(`${firewall}: another process is applying changes, and will apply what is due`);
  }
  return leases;
}
