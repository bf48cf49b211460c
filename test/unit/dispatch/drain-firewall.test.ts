import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Block } from '#firebreak/core/block.js';
import type { BlockResult } from '#firebreak/core/lifecycle.js';
import {
  drainFirewall,
  type DispatchContext as Launcher,
  type DispatchOptions,
  type SettledRun,
} from '#firebreak/dispatch/drain-firewall.js';
import type { BatchRequest, BatchResult } from '#firebreak/dispatch/batch.js';
import { applyAndWait } from '#firebreak/dispatch/wait.js';
import { leaseMs, type RecordedAlarms, type Lease, type Ledger } from '#firebreak/ledger/ledger.js';
import { openLedger } from '#firebreak/ledger/index.js';
import { aConfig, aFlow, anAlarm } from '../../fixtures.js';

const config = aConfig({ dispatch: { max_waiting: 2 } });

const noScreen = { watch: () => () => undefined, wait: () => () => undefined };

/** A run that goes on until the test says how it ends. */
class ScriptedRun {
  readonly requests: BatchRequest[] = [];
  private readonly endings: ((result: BatchResult) => void)[] = [];
  private readonly starts: (() => void)[] = [];

  /** Of the run that was started last. */
  stop: AbortSignal | undefined;

  readonly run = (request: BatchRequest, { stop }: { stop: AbortSignal }): Promise<BatchResult> =>
    new Promise((resolve) => {
      this.stop = stop;
      this.requests.push(request);
      this.endings.push(resolve);
      for (const start of this.starts.splice(0)) start();
    });

  async started(count: number): Promise<BatchRequest> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.starts.push(resolve));
    return this.requests[count - 1]!;
  }

  end(count: number, finding: BlockResult = { kind: 'settled', changed: true }): void {
    const results = new Map(this.requests[count - 1]!.blocks.map(({ id }) => [id, finding]));
    this.endings[count - 1]!({ ms: 1, results, folder: undefined });
  }
}

const ports = (request: BatchRequest): string[] => request.blocks.map(({ flow }) => flow.port);

describe('the dispatcher', () => {
  let folder: string;
  let wall: number;
  let ledgers: Ledger[];
  let scripted: ScriptedRun;
  let settled: SettledRun[];
  let options: DispatchOptions;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'carry-'));
    wall = 1_760_000_000_000;
    ledgers = [];
    scripted = new ScriptedRun();
    settled = [];
    options = { onSettled: (run) => settled.push(run), apply: scripted.run };
  });

  afterEach(async () => {
    for (const ledger of ledgers) await ledger.close();
    rmSync(folder, { recursive: true });
  });

  /** Another launcher, with a connection of its own. */
  async function launcher(stop = new AbortController().signal): Promise<Launcher> {
    const clock = () => ({ wall, uptime: wall, boot: 'one' });
    const ledger = await openLedger({ file: path.join(folder, 'ledger.db'), clock });
    ledgers.push(ledger);
    return { ledger, config, stop, screen: noScreen };
  }

  async function keep(parts: Launcher, port: string, owner: string): Promise<{ blocks: Block[]; leases: Lease[] }> {
    const alarm = anAlarm(`A-${port}-${owner}`, { flow: aFlow({ port }) });
    const kept: RecordedAlarms = await parts.ledger.recordAlarms([alarm], { recheckMs: 60_000, owner });
    return { blocks: kept.blocks.flat(), leases: kept.leases };
  }

  it('the first carries its block; what comes meanwhile goes with the next run, all at once', async () => {
    const first = await launcher();
    const kept = await keep(first, '1', 'first');
    const done = applyAndWait(kept, first, options);
    expect(ports(await scripted.started(1))).to.deep.equal(['1']);
    for (const port of ['2', '3', '4']) {
      const later = await keep(await launcher(), port, port);
      expect(later.leases, 'leases of a later one').to.deep.equal([]);
    }
    wall += 1000; // the storm is over
    scripted.end(1);
    expect(ports(await scripted.started(2))).to.deep.equal(['2', '3', '4']);
    scripted.end(2);
    expect((await done)[0]!.state).to.equal('active');
    expect(settled.map(({ run }) => run.batch)).to.deep.equal([1, 3]);
    expect(await first.ledger.acquireLease('edge', 'next'), 'the lease was given back').to.not.equal(undefined);
  });

  it('a follower learns how its own block ended', async () => {
    const holder = await launcher();
    const one = await keep(holder, '1', 'holder');
    const holding = applyAndWait(one, holder, options);
    await scripted.started(1);
    const follower = await launcher();
    const two = await keep(follower, '2', 'follower');
    const following = applyAndWait(two, follower, options);
    wall += 1000;
    scripted.end(1);
    await scripted.started(2);
    scripted.end(2, { kind: 'failed', failure: 'failed', code: 'load_refused', reason: 'pf refused the rules' });
    expect((await following)[0]).to.include({ state: 'pending', failure: 'failed', reason: 'pf refused the rules' });
    expect((await holding)[0]!.state).to.equal('active');
  });

  it('more than may wait return at once, and their blocks are carried all the same', async () => {
    const holder = await launcher();
    const one = await keep(holder, '1', 'holder');
    const holding = applyAndWait(one, holder, options);
    await scripted.started(1);
    const followers = [];
    for (const port of ['2', '3', '4']) {
      const parts = await launcher();
      const kept = await keep(parts, port, port);
      followers.push(applyAndWait(kept, parts, options));
    }
    const [returned] = await Promise.race(followers);
    expect(returned).to.include({ state: 'pending', doneRevision: 0, failure: null });
    wall += 1000;
    scripted.end(1);
    expect(ports(await scripted.started(2))).to.have.members(['2', '3', '4']);
    scripted.end(2);
    await holding;
    const states = (await Promise.all(followers)).flat().map(({ state }) => state);
    expect(states.sort()).to.deep.equal(['active', 'active', 'pending']);
  });

  it('a dead holder is followed by one who waits, when its lease has lapsed', async () => {
    const dead = await launcher();
    const { leases } = await keep(dead, '1', 'dead');
    await dead.ledger.claimBatch(leases[0]!, 'R-DEAD', 10);
    const follower = await launcher();
    const two = await keep(follower, '2', 'follower');
    expect(two.leases).to.deep.equal([]);
    const following = applyAndWait(two, follower, options);
    wall += leaseMs;
    expect(ports(await scripted.started(1))).to.deep.equal(['1', '2']);
    scripted.end(1);
    expect((await following)[0]!.state).to.equal('active');
  });

  it('a holder that slept while its lease lapsed writes nothing', async () => {
    const sleeper = await launcher();
    const { leases } = await keep(sleeper, '1', 'sleeper');
    const sleeping = drainFirewall(leases[0]!, sleeper, options);
    await scripted.started(1);
    wall += leaseMs;
    const next = await launcher();
    const lease = await next.ledger.acquireLease('edge', 'next');
    const following = drainFirewall(lease!, next, options);
    await scripted.started(2);
    scripted.end(1, { kind: 'failed', failure: 'failed', code: 'x', reason: 'an old story' });
    await sleeping;
    expect((await next.ledger.findBlocks({}))[0]).to.include({ failures: 0, reason: null });
    scripted.end(2);
    await following;
    expect((await next.ledger.findBlocks({}))[0]!.state).to.equal('active');
    expect(settled).to.have.length(1);
  });

  it('stops when it is told to: the run is ended, the lease given back, the block stays kept', async () => {
    const told = new AbortController();
    const parts = await launcher(told.signal);
    const kept = await keep(parts, '1', 'one');
    const done = applyAndWait(kept, parts, options);
    await scripted.started(1);
    told.abort('SIGTERM');
    expect(scripted.stop?.aborted).to.equal(true);
    scripted.end(1, { kind: 'failed', failure: 'stopped', code: 'interrupted', reason: 'ended by SIGTERM' });
    expect((await done)[0]).to.include({ state: 'pending', failure: 'stopped' });
    expect(await parts.ledger.acquireLease('edge', 'next')).to.not.equal(undefined);
  });

  it('a batch is no larger than configured', async () => {
    const parts = { ...(await launcher()), config: { ...config, ansible: { ...config.ansible, batch: 2 } } };
    const { leases } = await keep(parts, '1', 'one');
    for (const port of ['2', '3']) await keep(parts, port, port);
    const done = drainFirewall(leases[0]!, parts, options);
    expect(ports(await scripted.started(1))).to.have.length(2);
    wall += 1000;
    scripted.end(1);
    expect(ports(await scripted.started(2))).to.have.length(1);
    scripted.end(2);
    await done;
  });
});
