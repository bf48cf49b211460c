import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { Block } from '../core/block.js';
import { drainFirewall } from '../dispatch/drain-firewall.js';
import type { Freeze, Lease } from '../ledger/ledger.js';
import { refreshAddresses } from '../notify/addresses.js';
import { sendDue } from '../notify/deliver.js';
import { openRunRecorder } from '../notify/run-recorder.js';
import type { App } from '../runtime/app.js';
import { saveKnown, takeSpooled } from './fallback.js';

export interface DrainOptions {
  /** Releases expired blocks first. */
  expire: boolean;
  /** The launcher that acquired the leases for us. */
  owner?: string | undefined;
  /** Whether an operator waits for the end: Firebreak then gives a slow mail server ten seconds. */
  isAwaited?: boolean;
}

export interface Drained {
  blocks: Block[];
  /** The freeze, if nothing was applied because of it. */
  frozen: Freeze | undefined;
}

/** Applies all pending and due changes, on all firewalls in parallel; then sends what is queued. */
export async function drain(options: DrainOptions, app: App): Promise<Drained> {
  const drained = await applyDue(options, app);
  const sending = sendDue({ ...app, isAwaited: options.isAwaited ?? false }, options.owner).then(() => true);
  // A slow mail server does not delay changes that become due meanwhile.
  while (!(await Promise.race([sending, sleep(applyEveryMs, false, { ref: false })]))) {
    drained.blocks.push(...(await applyDue(options, app)).blocks);
  }
  return drained;
}

/** How often changes are applied while messages are being sent: as often as the timer would. */
const applyEveryMs = 15_000;

async function applyDue({ expire, owner }: DrainOptions, app: App): Promise<Drained> {
  const { config, ledger } = app;
  await takeSpooled(app);
  if (expire) await ledger.expire({ heldMs: config.policy.limits.hold_for, keepAlarmsMs: config.keep_alarms });
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
