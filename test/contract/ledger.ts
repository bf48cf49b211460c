import { expect } from 'chai';
import type { Block } from '#firebreak/core/block.js';
import type { Flow } from '#firebreak/core/flow.js';
import type { BlockResult } from '#firebreak/core/lifecycle.js';
import {
  leaseMs,
  LeaseLost,
  type BlockQuery,
  type ClaimedBlock,
  type ListedBlock,
  type NewAlarm,
  type BlockRequest,
  type RecordOptions,
  type Lease,
  type Ledger,
} from '#firebreak/ledger/ledger.js';
import type { MessageEnding, QueuedMessage } from '#firebreak/ledger/messages.js';
import { aFlow } from '../fixtures.js';

/** One ledger as several processes see it, on a clock that the test moves. */
export interface TestLedger {
  /** Another process: a connection of its own to the same ledger. */
  open(): Promise<Ledger>;
  /** All messages that are stored, the oldest first. */
  messages(): QueuedMessage[];
  advance(ms: number): void;
}

const minute = 60_000;
const hour = 60 * minute;
const recheckMs = minute;

let alarms = 0;
let runs = 0;
const settled = { kind: 'settled', changed: true } as const;
const shadowed = { level: 'shadowed', message: 'another rule passes it first' } as const;
const away: BlockResult = { kind: 'failed', failure: 'unreachable', code: 'unreachable', reason: 'no route to host' };

function block(fields: Partial<BlockRequest> = {}, flowFields: Partial<Flow> = {}): BlockRequest {
  return {
    firewall: 'edge',
    flow: aFlow(flowFields),
    description: 'a test',
    durationMs: 24 * hour,
    ...fields,
  };
}

function alarm(blocks: readonly BlockRequest[] = [block()], context: Record<string, string> = {}): NewAlarm {
  alarms += 1;
  return { id: `A${String(alarms).padStart(25, '0')}`, origin: 'a test', context, blocks };
}

async function keep(ledger: Ledger, one: NewAlarm, options: Partial<RecordOptions> = {}): Promise<Block> {
  const kept = await ledger.recordAlarms([one], { recheckMs, ...options });
  return kept.blocks[0]![0]!;
}

async function acquire(ledger: Ledger, owner = 'one'): Promise<Lease> {
  const lease = await ledger.acquireLease('edge', owner);
  expect(lease, 'the lease').to.not.equal(undefined);
  return lease!;
}

async function settle(
  ledger: Ledger,
  lease: Lease,
  claimed: readonly ClaimedBlock[],
  finding: BlockResult,
  addresses?: readonly string[],
): Promise<Block[]> {
  const run = claimed[0]?.run ?? 'R';
  const ended = { id: run, ms: 1, claimed, resultOf: () => finding, giveUpMs: 24 * hour, addresses };
  return ledger.settleBatch(lease, ended);
}

/** Carries all that is due, as a launcher would. */
async function carry(ledger: Ledger, finding: BlockResult = settled): Promise<Block[]> {
  const lease = await acquire(ledger);
  runs += 1;
  const claimed = await ledger.claimBatch(lease, `R-${runs}`, 1000);
  const blocks = await settle(ledger, lease, claimed, finding);
  await ledger.releaseLease(lease, true);
  return blocks;
}

/** What every ledger promises, whatever it is kept in. `make` gives an empty one. */
export function ledgerContract(name: string, make: () => TestLedger): void {
  describe(`a ledger (${name})`, () => {
    let test: TestLedger;
    let ledger: Ledger;
    let other: Ledger; // as another process has it

    beforeEach(async () => {
      test = make();
      ledger = await test.open();
      other = await test.open();
    });

    describe('keeps an alarm:', () => {
      it('another process sees the block, pending and due', async () => {
        const kept = await keep(ledger, alarm());
        const [seen] = await other.findBlocks({});
        expect(seen).to.deep.equal(kept);
        expect(seen).to.include({ state: 'pending', desired: 'present', alarms: 1, dueAt: await ledger.now() });
        expect(seen!.expiresAt).to.equal((await ledger.now()) + 24 * hour);
      });

      it('and finds it among those that something happened to since then', async () => {
        await keep(ledger, alarm());
        test.advance(minute);
        const since = await ledger.now();
        expect(await ledger.findBlocks({ updatedSince: since })).to.deep.equal([]);
        const kept = await keep(ledger, alarm());
        expect(await ledger.findBlocks({ updatedSince: since })).to.deep.equal([kept]);
      });

      it('with its origin and the words of the SIEM', async () => {
        const kept = await keep(ledger, alarm([block()], { 'event-id': 'e-1', risk: '3' }));
        const [known] = await ledger.findAlarms(kept.id);
        expect(known).to.deep.include({ origin: 'a test', context: { 'event-id': 'e-1', risk: '3' } });
      });

      it('once for each firewall it is for', async () => {
        const kept = await ledger.recordAlarms([alarm([block(), block({ firewall: 'inner' })])], { recheckMs });
        expect(kept.blocks[0]!.map(({ firewall }) => firewall)).to.deep.equal(['edge', 'inner']);
      });

      it('a second one of the flow counts, and makes no second block', async () => {
        const first = await keep(ledger, alarm());
        test.advance(hour);
        const second = await keep(ledger, alarm());
        expect(second).to.include({ id: first.id, alarms: 2 });
        expect(second.expiresAt).to.equal(first.expiresAt! + hour);
        expect(await ledger.findBlocks({})).to.have.length(1);
      });

      it('an extension never shortens, and for ever stays for ever', async () => {
        await keep(ledger, alarm());
        const shorter = await keep(ledger, alarm([block({ durationMs: minute })]));
        expect(shorter.expiresAt).to.equal((await ledger.now()) + 24 * hour);
        await keep(ledger, alarm([block({ durationMs: null })]));
        expect((await keep(ledger, alarm())).expiresAt).to.equal(null);
      });

      it('a refusal by policy is kept, counted, and never due', async () => {
        const refused = block({ refusal: 'refused: it is the gateway' });
        await keep(ledger, alarm([refused]));
        const again = await keep(ledger, alarm([refused]));
        expect(again).to.include({ state: 'refused', alarms: 2, dueAt: null, reason: 'refused: it is the gateway' });
        expect(await carry(ledger)).to.deep.equal([]);
      });

      it('two flows of one tracker get two numbers', async () => {
        const one = await keep(ledger, alarm());
        const other = await keep(ledger, alarm([block({}, { port: '443' })]));
        expect(other.tracker).to.not.equal(one.tracker);
      });

      it('many at once in one breath, in their order', async () => {
        const many = Array.from({ length: 500 }, (_, index) => alarm([block({}, { port: String(index + 1) })]));
        const kept = await ledger.recordAlarms(many, { recheckMs });
        expect(kept.blocks.map(([one]) => one!.flow.port)).to.deep.equal(many.map((_, index) => String(index + 1)));
      });
    });

    describe('absorbs what comes again:', () => {
      it('an alarm on a block that was proven just now costs no run', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        test.advance(recheckMs - 1);
        expect(await keep(ledger, alarm())).to.include({ state: 'active', alarms: 2, dueAt: null });
      });

      it('after the recheck time it has the block proven again', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        test.advance(recheckMs);
        expect(await keep(ledger, alarm())).to.include({ state: 'active', dueAt: await ledger.now() });
        expect((await carry(ledger, { kind: 'settled', changed: false }))[0]).to.include({
          state: 'active',
          dueAt: null,
        });
      });

      it('the same event twice counts once and changes nothing', async () => {
        const sameEventMs = 10 * minute;
        await keep(ledger, alarm([block()], { 'event-id': 'e-1' }), { sameEventMs });
        await carry(ledger);
        test.advance(9 * minute);
        const again = await ledger.recordAlarms([alarm([block()], { 'event-id': 'e-1' })], { recheckMs, sameEventMs });
        expect(again.blocks[0]?.[0]).to.include({ alarms: 1, dueAt: null });
        expect(again.repeated).to.deep.equal([again.blocks[0]?.[0]?.id]);
      });

      it('the same event is another alarm after its time, and where nobody says for how long it is the same', async () => {
        await keep(ledger, alarm([block()], { 'event-id': 'e-1' }));
        await carry(ledger);
        test.advance(10 * minute + 1);
        const late = await ledger.recordAlarms([alarm([block()], { 'event-id': 'e-1' })], {
          recheckMs,
          sameEventMs: 10 * minute,
        });
        expect(late.blocks[0]?.[0]).to.include({ alarms: 2 });
        expect(late.repeated).to.deep.equal([]);
      });

      for (const id of ['event-id', 'backlog-id']) {
        it(`an old ${id} swallows no new attack: after a release it is a new block`, async () => {
          const sameEventMs = 10 * minute;
          const first = await keep(ledger, alarm([block()], { [id]: 'x-1' }), { sameEventMs });
          await carry(ledger);
          await ledger.release({}, 'by a person');
          await carry(ledger);
          const second = await keep(ledger, alarm([block()], { [id]: 'x-1' }), { sameEventMs });
          expect(second).to.include({ state: 'pending', dueAt: await ledger.now() });
          expect(second.id).not.to.equal(first.id);
        });
      }

      it('a backlog-id is no identity: OSSIM keeps one for a whole directive', async () => {
        await keep(ledger, alarm([block()], { 'backlog-id': 'b-1' }), { sameEventMs: hour });
        await carry(ledger);
        const again = await keep(ledger, alarm([block()], { 'backlog-id': 'b-1' }), { sameEventMs: hour });
        expect(again.alarms).to.equal(2);
      });

      it('a failed block never suppresses the next try, not even of the same event', async () => {
        await keep(ledger, alarm([block()], { 'event-id': 'e-1' }));
        await carry(ledger, away);
        const again = await keep(ledger, alarm([block()], { 'event-id': 'e-1' }));
        expect(again).to.include({ state: 'pending', dueAt: await ledger.now() });
      });

      it('one event may concern two flows', async () => {
        await keep(ledger, alarm([block()], { 'event-id': 'b-1' }));
        await carry(ledger);
        const other = await keep(ledger, alarm([block({}, { port: '443' })], { 'event-id': 'b-1' }));
        expect(other.state).to.equal('pending');
      });
    });

    describe('holds what comes too fast:', () => {
      const limits = { perMinute: 2, active: 3 };
      const nth = (port: number): NewAlarm => alarm([block({}, { port: String(port) })]);

      it('the third new block in a minute, until it is approved', async () => {
        for (const port of [1, 2]) await keep(ledger, nth(port), { limits });
        const held = await keep(ledger, nth(3), { limits });
        expect(held)
          .to.include({ state: 'held', dueAt: null })
          .and.have.property('reason')
          .that.matches(/per_minute/);
        expect(await carry(ledger)).to.have.length(2);
        const [approved] = await ledger.decide('approve', [held.id]);
        expect(approved).to.include({ state: 'pending', dueAt: await ledger.now() });
      });

      it('not the alarm of a flow that has a block already', async () => {
        for (const port of [1, 2]) await keep(ledger, nth(port), { limits });
        expect((await keep(ledger, nth(2), { limits })).state).to.equal('pending');
      });

      it('more than may be in force at once', async () => {
        for (const port of [1, 2, 3]) {
          await keep(ledger, nth(port), { limits });
          test.advance(minute);
        }
        expect(await keep(ledger, nth(4), { limits }))
          .to.have.property('reason')
          .that.matches(/limits\.active/);
      });

      it('a rejected one is refused, and the next alarm begins anew', async () => {
        for (const port of [1, 2]) await keep(ledger, nth(port), { limits });
        await keep(ledger, nth(3), { limits });
        expect((await ledger.decide('reject', 'all')).map(({ state }) => state)).to.deep.equal(['refused']);
        test.advance(minute);
        expect((await keep(ledger, nth(3))).state).to.equal('pending');
      });

      it('a held block that nobody approved lapses', async () => {
        for (const port of [1, 2, 3]) await keep(ledger, nth(port), { limits });
        test.advance(hour);
        const [lapsed, ...others] = await ledger.expire({ heldMs: hour, keepAlarmsMs: 365 * 24 * hour });
        expect(others).to.deep.equal([]);
        expect(lapsed).to.include({ state: 'refused' });
      });

      it('however often its alarm comes, its time counts from the first one', async () => {
        for (const port of [1, 2, 3]) await keep(ledger, nth(port), { limits: { perMinute: 2, active: 2 } });
        test.advance(hour - minute);
        expect((await keep(ledger, nth(3), { limits: { perMinute: 2, active: 2 } })).state).to.equal('held');
        test.advance(minute);
        expect(await ledger.expire({ heldMs: hour, keepAlarmsMs: 365 * 24 * hour })).to.have.length(1);
      });

      it('a held one goes on by itself where its alarm comes again and there is room', async () => {
        for (const port of [1, 2]) await keep(ledger, nth(port), { limits });
        const held = await keep(ledger, nth(3), { limits });
        expect((await keep(ledger, nth(3), { limits })).state).to.equal('held');
        test.advance(minute);
        const again = await keep(ledger, nth(3), { limits });
        expect(again).to.include({ id: held.id, state: 'pending', dueAt: await ledger.now(), alarms: 3, reason: null });
      });

      it('an alarm counts once on however many firewalls, and what is held does not count', async () => {
        const onBoth = (port: string): NewAlarm => alarm([block({}, { port }), block({ firewall: 'inner' }, { port })]);
        const states = async (port: string): Promise<string[]> =>
          (await ledger.recordAlarms([onBoth(port)], { recheckMs, limits })).blocks.flat().map(({ state }) => state);
        expect(await states('1')).to.deep.equal(['pending', 'pending']);
        expect(await states('2')).to.deep.equal(['pending', 'pending']);
        expect(await states('3')).to.deep.equal(['held', 'held']);
        test.advance(minute);
        expect(await states('4')).to.deep.equal(['pending', 'pending']);
      });

      it('a share is left for alarms of high risk, and for sources that alarmed before', async () => {
        const shared = { perMinute: 4, active: 100, reserved: 25, highRisk: 5 };
        const from = (last: number, risk = '1'): NewAlarm =>
          alarm([block({}, { source: `203.0.113.${last}` })], { risk });
        const kept = async (one: NewAlarm): Promise<string> => (await keep(ledger, one, { limits: shared })).state;
        for (const last of [1, 2, 3]) expect(await kept(from(last))).to.equal('pending');
        expect(await kept(from(4))).to.equal('held');
        expect(await kept(from(5, '5'))).to.equal('pending');
        expect(await kept(from(6, '10'))).to.equal('held');
        test.advance(minute);
        for (const last of [7, 8, 9]) expect(await kept(from(last))).to.equal('pending');
        expect(await kept(from(10))).to.equal('held');
        expect(await kept(from(4))).to.equal('pending');
      });

      it('of 1,000 forged sources and a real one that repeats, the real one goes on within two minutes', async () => {
        const usual = { perMinute: 60, active: 10_000, perDestination: 1000, reserved: 25, highRisk: 5 };
        const from = (source: string): NewAlarm => alarm([block({}, { source })]);
        const keepOne = async (source: string) => keep(ledger, from(source), { limits: usual });
        let real = await keepOne('198.51.100.1').then(({ state }) => state);
        expect(real).to.equal('pending');
        await ledger.release({ source: '198.51.100.1' }, 'so that it comes in the middle of the storm');
        let forged = 0;
        let began: number | undefined;
        for (let second = 0; second < 120; second += 1) {
          for (let each = 0; each < 9 && forged < 1000; each += 1, forged += 1)
            await keepOne(`10.${Math.floor(forged / 250)}.${forged % 250}.7`);
          if (second >= 20 && second % 10 === 0) {
            began ??= second;
            real = (await keepOne('203.0.113.66')).state;
          }
          if (real === 'pending' && began !== undefined) break;
          test.advance(1000);
        }
        expect(real).to.equal('pending');
      });

      it('of 5,000 innocent addresses at once all are held but those within the limit', async () => {
        const usual = { perMinute: 60, active: 10_000, perDestination: 1000, reserved: 25, highRisk: 5 };
        const all = Array.from({ length: 5000 }, (_, index) =>
          alarm([block({}, { source: `10.9.${Math.floor(index / 250)}.${(index % 250) + 1}` })]),
        );
        const { blocks } = await ledger.recordAlarms(all, { recheckMs, limits: usual });
        expect(blocks.flat().filter(({ state }) => state === 'pending')).to.have.length(45);
      }).timeout(60_000);
    });

    describe('has one runner a firewall:', () => {
      it('a lease has one holder, and each firewall its own', async () => {
        await acquire(ledger);
        expect(await other.acquireLease('edge', 'two')).to.equal(undefined);
        expect(await other.acquireLease('inner', 'two')).to.not.equal(undefined);
      });

      it('of many that try at the same time with an alarm, one gets it', async () => {
        const results = await Promise.all(
          Array.from({ length: 10 }, async (_, index) =>
            (await test.open()).recordAlarms([alarm([block({}, { port: String(index + 1) })])], {
              recheckMs,
              owner: `o${index}`,
            }),
          ),
        );
        expect(results.flatMap(({ leases }) => leases)).to.have.length(1);
      });

      it('renewing keeps it, not renewing loses it', async () => {
        const lease = await acquire(ledger);
        test.advance(leaseMs - 1);
        expect(await ledger.renewLease(lease)).to.equal(true);
        test.advance(leaseMs - 1);
        expect(await ledger.acquireLease('edge', 'two')).to.equal(undefined);
        test.advance(1);
        expect((await acquire(ledger, 'two')).fence).to.be.above(lease.fence);
        expect(await ledger.renewLease(lease)).to.equal(false);
      });

      it('who takes a lapsed lease is told of the run that may have been left', async () => {
        await keep(ledger, alarm());
        const lease = await acquire(ledger);
        await ledger.claimBatch(lease, 'R-LEFT', 10);
        test.advance(leaseMs);
        expect((await acquire(ledger, 'two')).orphan).to.equal('R-LEFT');
      });

      it('a holder that slept too long cannot write', async () => {
        await keep(ledger, alarm());
        const lease = await acquire(ledger);
        const claimed = await ledger.claimBatch(lease, 'R1', 10);
        test.advance(leaseMs);
        const other = await acquire(ledger, 'two');
        await ledger.claimBatch(other, 'R2', 10);
        const late = await settle(ledger, lease, claimed, away).catch((error: unknown) => error);
        expect(late).to.be.instanceOf(LeaseLost);
        expect(await ledger.claimBatch(lease, 'R3', 10).catch((error: unknown) => error)).to.be.instanceOf(LeaseLost);
        expect((await ledger.findBlocks({}))[0]).to.include({ state: 'pending', failures: 0, run: 'R2' });
      });

      it('what it may have done is looked at again, also where nothing should stand', async () => {
        const one = await keep(ledger, alarm());
        await carry(ledger);
        await ledger.release({}, 'by a person');
        await carry(ledger);
        await ledger.recheck([one.id]);
        expect((await ledger.findBlocks({}))[0]).to.include({
          state: 'releasing',
          desired: 'absent',
          dueAt: await ledger.now(),
        });
        const other = await keep(ledger, alarm([block({}, { port: '443' })]));
        await carry(ledger);
        await ledger.recheck([one.id, other.id]);
        expect((await carry(ledger)).map(({ state }) => state)).to.deep.equal(['released', 'active']);
      });

      it('the lease stays while work is due: nothing falls between', async () => {
        const lease = await acquire(ledger);
        await keep(ledger, alarm());
        expect(await ledger.releaseLease(lease)).to.equal(false);
        const claimed = await ledger.claimBatch(lease, 'R1', 10);
        await settle(ledger, lease, claimed, settled);
        expect(await ledger.releaseLease(lease)).to.equal(true);
        expect(await ledger.acquireLease('edge', 'two')).to.not.equal(undefined);
      });

      it('keeping takes a free lease only where there is work', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        expect((await ledger.recordAlarms([alarm()], { recheckMs, owner: 'two' })).leases).to.deep.equal([]);
      });

      it('what was acquired in a name can be taken over by it', async () => {
        const { leases } = await ledger.recordAlarms([alarm()], { recheckMs, owner: 'me' });
        expect(await other.takeOverLease('edge', 'me')).to.deep.equal(leases[0]);
        expect(await other.takeOverLease('edge', 'you')).to.equal(undefined);
      });
    });

    describe('carries what is due:', () => {
      it('oldest first, no more than asked for', async () => {
        for (const port of ['1', '2', '3']) {
          await keep(ledger, alarm([block({}, { port })]));
          test.advance(10);
        }
        const claimed = await ledger.claimBatch(await acquire(ledger), 'R1', 2);
        expect(claimed.map((one) => one.flow.port)).to.deep.equal(['1', '2']);
      });

      it('a proven block is active, and the run is known', async () => {
        await keep(ledger, alarm());
        const [proven] = await carry(ledger);
        expect(proven).to.include({
          state: 'active',
          provenAt: await ledger.now(),
          dueAt: null,
          changed: true,
          reason: null,
        });
        expect(await ledger.findRun(proven!.run!)).to.include({ firewall: 'edge', batch: 1, ms: 1 });
      });

      it('trouble is retried with growing delay, told with its reason', async () => {
        await keep(ledger, alarm());
        for (const delay of [5_000, 15_000, minute, 5 * minute, 15 * minute, 15 * minute]) {
          const [failed] = await carry(ledger, away);
          expect(failed).to.include({ state: 'pending', failure: 'unreachable', reason: 'no route to host' });
          expect(failed!.dueAt).to.equal((await ledger.now()) + delay);
          test.advance(delay - 1);
          expect(await carry(ledger)).to.deep.equal([]);
          test.advance(1);
        }
        expect((await carry(ledger))[0]).to.include({ state: 'active', failures: 0, failure: null });
      });

      it('gives up when it has failed for too long; retry and a new alarm put it back', async () => {
        await keep(ledger, alarm());
        await carry(ledger, away);
        test.advance(24 * hour);
        const [given] = await carry(ledger, away);
        expect(given).to.include({ state: 'failed', dueAt: null });
        expect((await ledger.decide('retry', 'all'))[0]).to.include({ state: 'pending', failures: 0 });
        await carry(ledger, away);
        test.advance(24 * hour);
        await carry(ledger, away);
        expect(await keep(ledger, alarm())).to.include({ state: 'pending', dueAt: await ledger.now() });
      });

      it('an alarm during a run that proves the block is served by it', async () => {
        await keep(ledger, alarm());
        const lease = await acquire(ledger);
        const claimed = await ledger.claimBatch(lease, 'R1', 10);
        const during = await keep(ledger, alarm());
        const [after] = await settle(ledger, lease, claimed, settled);
        expect(after).to.include({ state: 'active', dueAt: null });
        expect(after!.doneRevision).to.be.at.least(during.revision);
      });

      it('an alarm during a run that fails is due at once', async () => {
        await keep(ledger, alarm());
        const lease = await acquire(ledger);
        const claimed = await ledger.claimBatch(lease, 'R1', 10);
        const during = await keep(ledger, alarm());
        const [after] = await settle(ledger, lease, claimed, away);
        expect(after!.dueAt).to.equal(await ledger.now());
        expect(after!.doneRevision).to.be.below(during.revision);
      });

      it('tells waiting processes when it changes', async () => {
        const waiting = other.waitForChange(5000);
        await keep(ledger, alarm());
        await waiting;
      });
    });

    describe('releases:', () => {
      it('an active block is asked off, and gone when that is proven', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        const [asked] = await ledger.release({ source: aFlow().source }, 'by a person');
        expect(asked).to.include({ state: 'releasing', desired: 'absent', dueAt: await ledger.now() });
        expect((await carry(ledger))[0]).to.include({ state: 'released', dueAt: null, reason: 'by a person' });
      });

      it('a block that no run ever took along is gone at once', async () => {
        await keep(ledger, alarm());
        expect((await ledger.release({}, 'by a person'))[0]).to.include({ state: 'released', dueAt: null });
      });

      it('a block that a run is taking along right now is asked off after it', async () => {
        await keep(ledger, alarm());
        const lease = await acquire(ledger);
        const claimed = await ledger.claimBatch(lease, 'R1', 10);
        await ledger.release({}, 'by a person');
        const [after] = await settle(ledger, lease, claimed, settled);
        expect(after).to.include({ state: 'releasing', desired: 'absent', dueAt: await ledger.now() });
        const next = await ledger.claimBatch(lease, 'R2', 10);
        expect((await settle(ledger, lease, next, settled))[0]!.state).to.equal('released');
      });

      it('block, block, unblock, block ends blocked; block, unblock ends released', async () => {
        await keep(ledger, alarm());
        await keep(ledger, alarm());
        await carry(ledger);
        await ledger.release({}, 'by a person');
        expect((await keep(ledger, alarm())).state).to.equal('pending');
        expect((await carry(ledger))[0]!.state).to.equal('active');
        await ledger.release({}, 'by a person');
        expect((await carry(ledger))[0]!.state).to.equal('released');
      });

      it('a release that fails stays a release', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        await ledger.release({}, 'by a person');
        expect((await carry(ledger, away))[0]).to.include({
          state: 'releasing',
          desired: 'absent',
          failure: 'unreachable',
        });
      });

      it('only what the query names', async () => {
        for (const port of ['22', '443']) await keep(ledger, alarm([block({}, { port })]));
        await carry(ledger);
        const asked = await ledger.release({ source: aFlow().source, port: '443' }, 'by a person');
        expect(asked.map((one) => one.flow.port)).to.deep.equal(['443']);
      });

      it('the next alarm of a released flow begins a new block with the same tracker', async () => {
        const first = await keep(ledger, alarm());
        await carry(ledger);
        await ledger.release({}, 'by a person');
        await carry(ledger);
        const second = await keep(ledger, alarm());
        expect(second.id).to.not.equal(first.id);
        expect(second).to.include({ tracker: first.tracker, alarms: 1, state: 'pending' });
      });
    });

    describe('lets go when time is up:', () => {
      const limits = { heldMs: 24 * hour, keepAlarmsMs: 365 * 24 * hour };

      it('exactly then, not before', async () => {
        await keep(ledger, alarm([block({ durationMs: 30 * minute })]));
        await carry(ledger);
        test.advance(30 * minute - 1);
        expect(await ledger.expire(limits)).to.deep.equal([]);
        test.advance(1);
        expect((await ledger.expire(limits))[0]).to.include({ state: 'releasing', reason: 'expired' });
      });

      it('never, where it is for ever', async () => {
        await keep(ledger, alarm([block({ durationMs: null })]));
        await carry(ledger);
        test.advance(10 * 365 * 24 * hour);
        expect(await ledger.expire(limits)).to.deep.equal([]);
      });

      it('a source that was blocked before is blocked longer each time, up to the longest', async () => {
        const escalation = { factor: 2, maxMs: 3 * hour, memoryMs: 30 * 24 * hour };
        const lasts: number[] = [];
        for (let offence = 0; offence < 4; offence += 1) {
          const kept = await keep(ledger, alarm([block({ durationMs: hour, escalation })]));
          lasts.push((kept.expiresAt! - (await ledger.now())) / hour);
          await carry(ledger);
          await ledger.release({}, 'by a person');
          await carry(ledger);
          test.advance(minute);
        }
        expect(lasts).to.deep.equal([1, 2, 3, 3]);
        test.advance(31 * 24 * hour);
        expect((await keep(ledger, alarm([block({ durationMs: hour, escalation })]))).expiresAt).to.equal(
          (await ledger.now()) + hour,
        );
      });

      it('forgets what is long over, and nothing that stands', async () => {
        await keep(ledger, alarm([block({ durationMs: null })]));
        await keep(ledger, alarm([block({ durationMs: hour }, { port: '443' })]));
        await carry(ledger);
        test.advance(hour);
        await ledger.expire(limits);
        await carry(ledger);
        test.advance(limits.keepAlarmsMs + 1);
        await ledger.expire(limits);
        const left = await ledger.findBlocks({});
        expect(left.map((one) => [one.flow.port, one.state])).to.deep.equal([['22', 'active']]);
        expect(await ledger.findAlarms(left[0]!.id)).to.have.length(1);
      });
    });

    describe('keeps messages until they are sent:', () => {
      const holdMs = minute;
      const message = { id: 'M1', kind: 'failure', content: { subject: 'edge: 1 block NOT in force', text: 'why' } };
      const ids = async (sender: string) => (await ledger.claimMessages(sender, holdMs)).map(({ id }) => id);

      /** One sender takes it along and does with it what the server's answer makes of it. */
      async function sendOnce(ending: MessageEnding | 'it dies'): Promise<void> {
        await ledger.claimMessages('one', holdMs);
        expect(await ledger.markSending('M1', 'one', holdMs)).to.equal(true);
        if (ending !== 'it dies') await ledger.settleMessage('M1', 'one', ending);
      }

      it('with what they say, across connections, once for each id', async () => {
        await ledger.queueMessage(message);
        await ledger.queueMessage({ ...message, content: {} });
        expect(await other.claimMessages('one', holdMs)).to.have.length(1);
        expect(test.messages()[0]).to.include({ id: 'M1', kind: 'failure', tries: 0, sentAt: null });
        expect(test.messages()[0]?.content).to.deep.equal(message.content);
      });

      it('and knows them for a week at least, however early the rest is forgotten', async () => {
        expect(await ledger.hasMessage('M1')).to.equal(false);
        await ledger.queueMessage(message);
        await sendOnce({ kind: 'sent' });
        test.advance(6 * 24 * hour);
        await ledger.expire({ heldMs: hour, keepAlarmsMs: hour });
        expect(await other.hasMessage('M1')).to.equal(true);
        test.advance(2 * 24 * hour);
        await ledger.expire({ heldMs: hour, keepAlarmsMs: hour });
        expect(await ledger.hasMessage('M1')).to.equal(false);
      });

      it('for one sender at a time, which may hand its name on', async () => {
        await ledger.queueMessage(message);
        expect(await ids('one')).to.deep.equal(['M1']);
        expect(await ids('two')).to.deep.equal([]);
        expect(await ids('one')).to.deep.equal(['M1']);
        expect(await ledger.markSending('M1', 'two', holdMs)).to.equal(false);
        test.advance(holdMs);
        expect(await ids('two')).to.deep.equal(['M1']);
        expect(await ledger.markSending('M1', 'one', holdMs)).to.equal(false);
      });

      it('never again after it was sent', async () => {
        await ledger.queueMessage(message);
        await sendOnce({ kind: 'sent' });
        test.advance(30 * 24 * hour);
        expect(await ids('two')).to.deep.equal([]);
        expect(test.messages()[0]?.sentAt).to.be.a('number');
      });

      it('while the server is away for a day, with growing delays', async () => {
        await ledger.queueMessage(message);
        const end = (await ledger.now()) + 24 * hour;
        let tries = 0;
        for (; (await ledger.now()) < end; test.advance(minute)) {
          if ((await ids('one')).length === 0) continue;
          tries += 1;
          await ledger.settleMessage('M1', 'one', { kind: 'refused', reason: 'connection refused' });
        }
        expect(tries).to.be.within(24, 30);
        expect(test.messages()[0]).to.include({ tries, lastError: 'connection refused' });
        test.advance(hour);
        expect(await ids('one')).to.deep.equal(['M1']);
      });

      it('until a week of refusals is over', async () => {
        await ledger.queueMessage(message);
        test.advance(7 * 24 * hour);
        await sendOnce({ kind: 'refused', reason: '550 no such user' });
        test.advance(30 * 24 * hour);
        expect(await ids('one')).to.deep.equal([]);
        expect(test.messages()[0]).to.include({ dueAt: null, lastError: '550 no such user' });
      });

      for (const [title, ending] of [
        ['its sender dies', 'it dies'],
        ['the server gives no answer', { kind: 'unconfirmed', reason: 'no answer' }],
      ] as const) {
        it(`and lets one leave twice at most where ${title}`, async () => {
          await ledger.queueMessage(message);
          await sendOnce(ending);
          test.advance(hour);
          await sendOnce(ending);
          test.advance(hour);
          expect(await ids('two')).to.deep.equal([]);
          expect(test.messages()[0]).to.include({ dueAt: null, sentAt: null });
        });
      }

      it('however often it is refused with a clear answer after it left', async () => {
        await ledger.queueMessage(message);
        for (let attempt = 0; attempt < 5; attempt += 1) {
          await sendOnce({ kind: 'refused', reason: '451 try later' });
          test.advance(hour);
        }
        expect(await ids('one')).to.deep.equal(['M1']);
      });

      it('together with the incidents that they tell: how often, since when, and no more when they are over', async () => {
        const told = [{ cause: 'unreachable', beganAt: 5 }];
        await ledger.recordIncidents('edge', { due: told, resolved: [] }, [message]);
        const first = { cause: 'unreachable', beganAt: 5, told: 1, toldAt: await ledger.now() };
        expect(await ledger.findIncidents('edge')).to.deep.equal([first]);
        expect(await ledger.findIncidents('depot')).to.deep.equal([]);
        test.advance(hour);
        await ledger.recordIncidents('edge', { due: told, resolved: [] }, [{ ...message, id: 'M2' }]);
        expect(await ledger.findIncidents('edge')).to.deep.equal([{ ...first, told: 2, toldAt: await ledger.now() }]);
        expect(test.messages().map(({ id }) => id)).to.deep.equal(['M1', 'M2']);
        await ledger.recordIncidents('edge', { due: [], resolved: [first] }, []);
        expect(await ledger.findIncidents('edge')).to.deep.equal([]);
      });

      it('and forgets those that were sent, when they are old', async () => {
        await ledger.queueMessage(message);
        await sendOnce({ kind: 'sent' });
        await ledger.queueMessage({ ...message, id: 'M2' });
        test.advance(8 * 24 * hour);
        await ledger.expire({ heldMs: hour, keepAlarmsMs: hour });
        expect(test.messages().map(({ id }) => id)).to.deep.equal(['M2']);
      });
    });

    describe('counts who waits:', () => {
      it('up to the most, and forgets those that died', async () => {
        expect(await ledger.beginWaiting('a', 2, minute)).to.equal(true);
        expect(await ledger.beginWaiting('b', 2, minute)).to.equal(true);
        expect(await ledger.beginWaiting('c', 2, minute)).to.equal(false);
        await ledger.endWaiting('a');
        expect(await ledger.beginWaiting('c', 2, minute)).to.equal(true);
        test.advance(minute);
        expect(await ledger.beginWaiting('d', 2, minute)).to.equal(true);
      });
    });

    describe('counts who is served:', () => {
      it('up to the most, and forgets those whose time is up', async () => {
        const one = { maxSessions: 1, maxPerCaller: 1, forMs: minute, isDryRun: false };
        expect(await ledger.beginSession({ ...one, id: 'a' })).to.equal(true);
        expect(await other.beginSession({ ...one, id: 'b' })).to.equal(false);
        await ledger.endSession('a');
        expect(await ledger.beginSession({ ...one, id: 'b' })).to.equal(true);
        test.advance(minute);
        expect(await ledger.beginSession({ ...one, id: 'c' })).to.equal(true);
      });

      it('of one caller up to his share, and dry runs one at a time', async () => {
        const session = (id: string, caller: string, isDryRun = false) =>
          ledger.beginSession({ id, caller, isDryRun, maxSessions: 9, maxPerCaller: 2, forMs: minute });
        expect(await session('a', '192.0.2.1')).to.equal(true);
        expect(await session('b', '192.0.2.1')).to.equal(true);
        expect(await session('c', '192.0.2.1')).to.equal(false);
        expect(await session('d', '192.0.2.2', true)).to.equal(true);
        expect(await session('e', '192.0.2.3', true)).to.equal(false);
        expect(await session('f', '192.0.2.3')).to.equal(true);
      });

      it('and remembers the callers for a month', async () => {
        const forMs = minute;
        await ledger.beginSession({
          id: 'a',
          caller: '192.0.2.1',
          isDryRun: false,
          maxSessions: 9,
          maxPerCaller: 2,
          forMs,
        });
        expect((await other.findSeen()).callers).to.deep.equal(['192.0.2.1']);
        test.advance(30 * 24 * hour + 1);
        expect((await ledger.findSeen()).callers).to.deep.equal([]);
      });
    });

    describe('while it is frozen', () => {
      it('keeps everything, and gives no lease and no batch until it is unfrozen', async () => {
        await keep(ledger, alarm());
        const lease = (await ledger.acquireLease('edge', 'before'))!;
        await ledger.freeze('a reason', 'somebody');
        await ledger.freeze('another', 'somebody else');
        expect(await other.findFreeze()).to.include({ by: 'somebody', reason: 'a reason' });
        expect(await ledger.claimBatch(lease, 'R', 10)).to.deep.equal([]);
        expect(await ledger.releaseLease(lease)).to.equal(true);
        expect(await ledger.acquireLease('edge', 'after')).to.equal(undefined);
        const kept = await ledger.recordAlarms([alarm([block({}, { port: '23' })])], { recheckMs, owner: 'x' });
        expect(kept.leases).to.deep.equal([]);
        expect(await ledger.unfreeze()).to.equal(true);
        expect(await ledger.unfreeze()).to.equal(false);
        const again = (await ledger.acquireLease('edge', 'after'))!;
        expect(await ledger.claimBatch(again, 'R', 10)).to.have.length(2);
      });
    });

    it('says of the first that is held that it is the first, until none is held any more', async () => {
      const limits = { perMinute: 1000, active: 1000, perDestination: 1 };
      const hold = async (port: string): Promise<boolean> =>
        (await ledger.recordAlarms([alarm([block({}, { port })])], { recheckMs, limits })).isFirstHeld;
      expect([await hold('1'), await hold('2'), await hold('3')]).to.deep.equal([false, true, false]);
      expect(await ledger.loadStats()).to.deep.include({ held: 2, enforced: 1, lastMinute: 3 });
      await ledger.decide('reject', 'all');
      expect(await hold('4')).to.equal(true);
    });

    it("knows each firewall's own addresses, as the last run that told them has seen them", async () => {
      expect((await ledger.findSeen()).addresses).to.deep.equal({});
      for (const [last, seen] of [
        [1, ['192.168.1.1', '203.0.113.200']],
        [2, ['203.0.113.201', '192.168.1.1']],
        [3, undefined],
      ] as const) {
        await keep(ledger, alarm([block({}, { source: `203.0.113.${last}` })]));
        const lease = await acquire(ledger);
        await settle(ledger, lease, await ledger.claimBatch(lease, `R${last}`, 10), settled, seen);
        await ledger.releaseLease(lease, true);
      }
      const { edge = [], ...others } = (await other.findSeen()).addresses;
      expect(edge).to.have.members(['192.168.1.1', '203.0.113.201']).and.have.length(2);
      expect(others).to.deep.equal({});
    });

    it('says how a firewall’s addresses changed until that is told, and forgets what it did not see again', async () => {
      await ledger.recordAddresses('edge', ['192.168.1.1', '203.0.113.200']);
      expect(await ledger.findAddressChanges()).to.deep.equal([]);
      await ledger.recordAddresses('edge', ['192.168.1.1', '203.0.113.201']);
      const change = { firewall: 'edge', at: await ledger.now(), added: ['203.0.113.201'], removed: ['203.0.113.200'] };
      expect(await ledger.findAddressChanges()).to.deep.equal([{ ...change, isTold: false }]);
      await ledger.markAddressChangeSent('edge', []);
      expect(await ledger.findAddressChanges()).to.deep.equal([{ ...change, isTold: true }]);
      test.advance(7 * 24 * hour + 1);
      expect(await ledger.findAddressChanges()).to.deep.equal([]);
      expect((await ledger.findSeen()).addresses).to.deep.equal({});
    });

    it("knows each firewall's interfaces as it told them last, and forgets them as well", async () => {
      expect((await ledger.findSeen()).interfaces).to.deep.equal({});
      await ledger.recordFacts('edge', { interfaces: [{ key: 'wan', description: 'WAN' }] });
      const told = [
        { key: 'wan', description: 'Fibre' },
        { key: 'opt1', description: 'Guest WiFi' },
      ];
      await ledger.recordFacts('edge', { interfaces: told });
      expect((await other.findSeen()).interfaces).to.deep.equal({ edge: told });
      test.advance(7 * 24 * hour + 1);
      expect((await ledger.findSeen()).interfaces).to.deep.equal({});
    });

    it("knows the networks behind each firewall's interfaces, as last reported, for a week, 256 at most", async () => {
      const lan = { interface: 'lan', network: '192.168.1.0/24' };
      const opt1 = { interface: 'opt1', network: '192.168.20.0/24' };
      await ledger.recordFacts('edge', { networks: [lan, opt1] });
      await ledger.recordFacts('inner', { networks: [opt1] });
      await ledger.recordFacts('edge', { networks: [lan, lan] });
      expect((await other.findSeen()).networks).to.deep.equal({ edge: [lan], inner: [opt1] });
      await keep(ledger, alarm([block()]));
      const lease = await acquire(ledger);
      const claimed = await ledger.claimBatch(lease, 'R', 10);
      const ended = { id: 'R', ms: 1, claimed, resultOf: () => settled, giveUpMs: 24 * hour };
      await ledger.settleBatch(lease, { ...ended, facts: { networks: [opt1] } });
      expect((await other.findSeen()).networks).to.deep.equal({ edge: [opt1], inner: [opt1] });
      const many = Array.from({ length: 300 }, (_, index) => ({
        interface: 'lan',
        network: `10.${index % 250}.${Math.floor(index / 250)}.0/24`,
      }));
      await ledger.recordFacts('edge', { networks: many });
      expect((await ledger.findSeen()).networks?.['edge']).to.have.length(256);
      test.advance(7 * 24 * hour + 1);
      expect((await ledger.findSeen()).networks).to.deep.equal({});
    });

    it('keeps an allowlist, whose entries end, are replaced and are removed', async () => {
      const entry = { kind: 'allow', address: '203.0.113.0/24', durationMs: hour, reason: 'ours' } as const;
      await ledger.as('someone').allow(entry);
      await ledger.allow({ ...entry, address: 'dns.example', durationMs: null, resolved: ['192.0.2.53'] });
      await ledger.allow({ ...entry, kind: 'grace', address: '203.0.113.7', firewall: 'edge' });
      const [first, ...others] = (await other.findSeen()).allowances ?? [];
      expect(first).to.deep.include({
        address: '203.0.113.0/24',
        by: 'someone',
        reason: 'ours',
        firewall: '',
        resolved: [],
      });
      expect(first?.until).to.equal((first?.createdAt ?? 0) + hour);
      expect(others.map(({ kind, address, until }) => [kind, address, until === null])).to.deep.equal([
        ['allow', 'dns.example', true],
        ['grace', '203.0.113.7', false],
      ]);
      await ledger.recordResolved('dns.example', ['192.0.2.54']);
      await ledger.allow({ ...entry, reason: 'still ours', durationMs: 3 * hour });
      test.advance(2 * hour);
      expect((await ledger.findAllowances()).map(({ reason, resolved }) => [reason, ...resolved])).to.deep.equal([
        ['still ours'],
        ['ours', '192.0.2.54'],
      ]);
      expect([await ledger.disallow('dns.example'), await ledger.disallow('dns.example')]).to.deep.equal([true, false]);
      expect(await ledger.findAllowances()).to.have.length(1);
    });

    it('reports the ends of long blocks a day before, those of two days together, once for each end', async () => {
      const day = 24 * hour;
      const long = (durationMs: number | null, source: string) =>
        keep(ledger, alarm([block({ durationMs }, { source })]));
      await long(7 * day, '203.0.113.1');
      await long(8 * day - hour, '203.0.113.2');
      await long(9 * day, '203.0.113.3');
      await long(6 * day, '203.0.113.4');
      await long(null, '203.0.113.5');
      await carry(ledger);
      const ending = async () => (await ledger.findEnding(day)).map(({ flow }) => flow.source);
      test.advance(6 * day - hour);
      expect(await ending()).to.deep.equal([]);
      test.advance(hour);
      expect(await ending()).to.deep.equal(['203.0.113.1', '203.0.113.2']);
      const blocks = await ledger.findEnding(day);
      const mail = (id: string) => ({ id, kind: 'mail', content: { text: 'x' } });
      await ledger.markEndingSent(blocks, [mail('N1')]);
      await other.markEndingSent(blocks, [mail('N2')]);
      expect(await ending()).to.deep.equal([]);
      expect((await ledger.claimMessages('one', hour)).map(({ id }) => id)).to.deep.equal(['N1']);
      const [first] = blocks;
      await ledger.amend(first!.id, { expiresAt: (await ledger.now()) + 2 * day });
      expect(await ending()).to.deep.equal([]);
      test.advance(day);
      expect(await ending()).to.deep.equal(['203.0.113.1', '203.0.113.3']);
    });

    it('gives a decision link to one caller, until it expires', async () => {
      const link = { blocks: ['b1', 'b2'], sentBy: 'mail to soc@example.org' };
      await ledger.addDecisionLink({ ...link, hash: 'l1', forMs: hour });
      await ledger.addDecisionLink({ ...link, hash: 'l2', forMs: hour });
      expect(await ledger.findDecisionLink('l1')).to.deep.equal(link);
      const taken = await Promise.all([1, 2, 3].map(() => ledger.takeDecisionLink('l1')));
      expect(taken.filter((each) => each !== undefined)).to.deep.equal([link]);
      expect(await ledger.findDecisionLink('l1')).to.equal(undefined);
      test.advance(hour);
      expect(await ledger.takeDecisionLink('l2')).to.equal(undefined);
    });

    it('finds a token by its hash, until it expires or is revoked', async () => {
      const token = { scope: 'alarm', source: 'wazuh', networks: ['192.0.2.0/24'] } as const;
      const added = [
        await ledger.as('root').addToken({ ...token, name: 'one', hash: 'h1', durationMs: null }),
        await ledger.addToken({ ...token, name: 'two', hash: 'h2', durationMs: hour }),
        await ledger.addToken({ ...token, name: 'two', hash: 'h3', durationMs: null }),
      ];
      expect(added).to.deep.equal([true, true, false]);
      expect(await ledger.findToken('h1')).to.deep.include({ ...token, name: 'one', by: 'root', expiresAt: null });
      expect((await ledger.findTokens()).map(({ name }) => name)).to.deep.equal(['one', 'two']);
      test.advance(hour);
      expect([await ledger.findToken('h2'), (await ledger.findTokens()).length]).to.deep.equal([undefined, 1]);
      expect(await ledger.addToken({ ...token, name: 'two', hash: 'h4', durationMs: null })).to.equal(true);
      expect([await ledger.revokeToken('one'), await ledger.revokeToken('one')]).to.deep.equal([true, false]);
      expect([await ledger.findToken('h1'), await ledger.findToken('h3')]).to.deep.equal([undefined, undefined]);
    });

    it('finds the blocks of an alarm', async () => {
      const first = alarm([block(), block({ firewall: 'core' })]);
      await keep(ledger, first);
      await keep(ledger, alarm([block({}, { source: '203.0.113.8' })]));
      const found = await ledger.findBlocks({ alarm: first.id });
      expect(found.map(({ firewall }) => firewall)).to.have.members(['edge', 'core']);
    });

    it('refuses a new block in a grace time, and goes on with one in force', async () => {
      const graced = { grace: 'refused: not again' };
      const fresh = await keep(ledger, alarm([block(graced)]));
      expect(fresh).to.include({ state: 'refused', reason: 'refused: not again' });
      const open = await keep(ledger, alarm([block()]));
      const again = await keep(ledger, alarm([block(graced)]));
      expect(again).to.include({ id: open.id, state: 'pending', alarms: 2 });
    });

    it('keeps 256 addresses of a firewall at most', async () => {
      const many = Array.from({ length: 300 }, (_, index) => `10.0.${Math.floor(index / 250)}.${index % 250}`);
      await ledger.recordAddresses('edge', many);
      expect((await ledger.findSeen()).addresses['edge']).to.have.length(256);
    });

    it('tells the last runs in the order in which they began, whatever their names say, and those under way', async () => {
      const names = ['ZZ', 'AA', 'MM'];
      const lease = await acquire(ledger);
      for (const name of names) {
        await keep(ledger, alarm([block({}, { port: String(names.indexOf(name) + 1) })]));
        const claimed = await ledger.claimBatch(lease, name, 10);
        if (name !== 'MM') await settle(ledger, lease, claimed, settled);
      }
      expect((await ledger.findRunsToKeep(2)).sort()).to.deep.equal(['AA', 'MM']);
      await keep(ledger, alarm([block({ firewall: 'inner' })]));
      const other = (await ledger.acquireLease('inner', 'two'))!;
      await ledger.claimBatch(other, 'BB', 10);
      expect((await ledger.findRunsToKeep(1)).sort()).to.deep.equal(['BB', 'MM']);
    });

    it('lets one ask a firewall for its addresses within a time', async () => {
      expect(await ledger.beginAsking('edge', hour)).to.equal(true);
      expect(await other.beginAsking('edge', hour)).to.equal(false);
      expect(await ledger.beginAsking('inner', hour)).to.equal(true);
      test.advance(hour);
      expect(await ledger.beginAsking('edge', hour)).to.equal(true);
    });

    describe('records what a proof is worth:', () => {
      const listed = { level: 'listed', message: 'not told' } as const;
      const proofsOf = async (): Promise<(string | null)[]> => {
        const [found] = await other.findBlocks({});
        return [found!.proof, found!.proofMessage];
      };

      it('as the run found it, until the block is released', async () => {
        await keep(ledger, alarm());
        expect(await proofsOf()).to.deep.equal([null, null]);
        await carry(ledger, { ...settled, proof: shadowed });
        expect(await proofsOf()).to.deep.equal(['shadowed', shadowed.message]);
        expect(await ledger.findBlocks({ proofs: ['listed', 'decides'] })).to.deep.equal([]);
        expect(await ledger.findBlocks({ proofs: ['shadowed'], states: ['active'] })).to.have.length(1);
        await ledger.release({}, 'by a person');
        expect(await proofsOf()).to.deep.equal([null, null]);
      });

      it('as a query found it, for active blocks only', async () => {
        const one = await keep(ledger, alarm());
        const found = new Map([[one.id, shadowed]]);
        await ledger.recordProofs(found, await ledger.now());
        expect(await proofsOf(), 'not applied yet').to.deep.equal([null, null]);
        await carry(ledger, { ...settled, proof: listed });
        await ledger.recordProofs(found, await ledger.now());
        expect(await proofsOf()).to.deep.equal(['shadowed', shadowed.message]);
        expect((await ledger.findBlocks({}))[0]).to.include({ state: 'active', dueAt: null, failure: null });
      });

      it('but not what a query found before the last run, or while a run is due', async () => {
        const one = await keep(ledger, alarm());
        const found = new Map([[one.id, shadowed]]);
        const askedAt = await ledger.now();
        test.advance(100);
        await carry(ledger, { ...settled, proof: listed });
        await ledger.recordProofs(found, askedAt);
        expect(await proofsOf()).to.deep.equal(['listed', 'not told']);
        await ledger.recheck([one.id]);
        await ledger.recordProofs(found, await ledger.now());
        expect(await proofsOf()).to.deep.equal(['listed', 'not told']);
      });
    });

    describe('counts the packets that a block has stopped', () => {
      it('from query to query, though pf begins anew with each load', async () => {
        const one = await keep(ledger, alarm());
        const other = await keep(ledger, alarm([block({}, { port: '1' })]));
        await carry(ledger);
        const packetsOf = async ({ id }: Block): Promise<[number, number | null]> => {
          const [found] = await ledger.findBlocks({ ids: [id] });
          return [found?.packets ?? -1, found?.packetsAt ?? null];
        };
        expect(await packetsOf(one)).to.deep.equal([0, null]);
        await ledger.recordPackets(new Map([[one.id, 10], ['an unknown one', 3]])); // prettier-ignore
        const first = await ledger.now();
        expect(await packetsOf(one)).to.deep.equal([10, first]);
        test.advance(hour);
        await ledger.recordPackets(new Map([[one.id, 10]]));
        expect(await packetsOf(one), 'no more came').to.deep.equal([10, first]);
        await ledger.recordPackets(new Map([[one.id, 12]]));
        const second = await ledger.now();
        expect(await packetsOf(one)).to.deep.equal([12, second]);
        test.advance(hour);
        await ledger.recordPackets(new Map([[one.id, 0]]));
        expect(await packetsOf(one), 'pf began anew').to.deep.equal([12, second]);
        await ledger.recordPackets(new Map([[one.id, 3]]));
        expect(await packetsOf(one)).to.deep.equal([15, await ledger.now()]);
        expect(await packetsOf(other)).to.deep.equal([0, null]);
        expect((await ledger.findOverview(['edge', 'inner'])).firewalls.map(({ packets }) => packets)).to.deep.equal([
          15, 0,
        ]);
        await ledger.release({ ids: [one.id] }, 'by a person');
        expect((await packetsOf(one))[0], 'is kept').to.equal(15);
        expect((await ledger.findOverview(['edge'])).firewalls[0]?.packets, 'of blocks in force').to.equal(0);
      });

      it('of any number of blocks', async () => {
        const many = 1201;
        const blocks: Block[] = [];
        for (let at = 1; at <= many; at++) blocks.push(await keep(ledger, alarm([block({}, { port: String(at) })])));
        await ledger.recordPackets(new Map(blocks.map(({ id }, at) => [id, at + 1])));
        const found = await ledger.findBlocks({});
        expect(found.map(({ packets }) => packets)).to.deep.equal(blocks.map((_, at) => at + 1));
      }).timeout(60_000);
    });

    describe('tells what happened', () => {
      const nothing = { proven: 0, bypassed: 0, observed: 0, failed: 0, held: 0, refused: 0, released: 0 };

      it('in figures: alarms, what came of them, and from then on only', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        test.advance(2 * hour);
        const since = await ledger.now();
        expect((await ledger.findHistory(since)).outcomes).to.deep.equal(nothing);
        await keep(ledger, alarm());
        await keep(ledger, alarm([block({}, { port: '1' })]));
        await keep(ledger, alarm([block({ refusal: 'refused: it is the gateway' }, { port: '2' })]));
        await keep(ledger, alarm([block({ refusal: 'refused: it is the gateway' }, { port: '2' })]));
        await keep(ledger, alarm([block({}, { port: '3' })]), { limits: { perMinute: 1, active: 9 } });
        await carry(ledger);
        await ledger.release({ port: '1' }, 'by a person');
        await carry(ledger);
        await ledger.decide('reject', 'all');
        const history = await ledger.findHistory(since);
        expect(history).to.deep.include({ since, until: await ledger.now(), alarms: 5 });
        expect(history.outcomes).to.deep.equal({ ...nothing, proven: 1, held: 1, refused: 3, released: 1 });
        expect((await ledger.findHistory(0)).outcomes.proven).to.equal(2);
        expect(history.now).to.deep.equal({ active: 1, bypassed: 0, underWay: 0, failing: 0, givenUp: 0, held: 0 });
      });

      it('of rules that do not stop their packets: when that is found, and when it is over', async () => {
        const one = await keep(ledger, alarm());
        await carry(ledger, { ...settled, proof: shadowed });
        let history = await ledger.findHistory(0);
        expect(history.outcomes).to.deep.equal({ ...nothing, bypassed: 1 });
        expect(history.now).to.include({ active: 1, bypassed: 1 });
        const [told] = await ledger.claimOutcomes('one', 'S', minute);
        expect(told).to.include({ kind: 'bypassed', code: 'shadowed', reason: shadowed.message });
        await ledger.recordProofs(new Map([[one.id, { level: 'listed', message: 'not told' }]]), await ledger.now());
        history = await ledger.findHistory(0);
        expect(history.outcomes).to.deep.equal({ ...nothing, bypassed: 1, proven: 1 });
        expect(history.now).to.include({ active: 1, bypassed: 0 });
        const [, proven] = await ledger.claimOutcomes('one', 'S', minute);
        expect(proven).to.include({ kind: 'proven', code: 'listed', reason: 'not told' });
      });

      it('by hours, without those in which nothing came about', async () => {
        for (const port of ['1', '2']) {
          await keep(ledger, alarm([block({}, { port })]));
          await carry(ledger);
          test.advance(5 * hour);
        }
        const { hours } = await ledger.findHistory(0);
        expect(hours.map(({ proven }) => proven)).to.deep.equal([1, 1]);
        expect(hours[1]!.at - hours[0]!.at).to.equal(5 * hour);
        expect(hours[0]!.at % hour).to.equal(0);
      });

      it('of alarms by hours, those that made no block among them', async () => {
        await keep(ledger, alarm());
        await keep(ledger, alarm([block({ refusal: 'refused: it is the gateway' }, { port: '2' })]));
        test.advance(5 * hour);
        await keep(ledger, alarm());
        const { alarmHours } = await ledger.findHistory(0);
        expect(alarmHours.map(({ alarms: many }) => many)).to.deep.equal([2, 1]);
        expect(alarmHours[1]!.at - alarmHours[0]!.at).to.equal(5 * hour);
        expect(alarmHours[0]!.at % hour).to.equal(0);
        expect((await ledger.findHistory(await ledger.now())).alarmHours).to.have.length(1);
      });

      it('how long it took from the alarm to the proof: of half, of 95 in 100, of all', async () => {
        expect((await ledger.findHistory(0)).proof).to.equal(null);
        for (let index = 1; index <= 20; index += 1) {
          await keep(ledger, alarm([block({}, { port: String(index) })]));
          test.advance(index * 100);
          await carry(ledger);
        }
        expect((await ledger.findHistory(0)).proof).to.deep.equal({ medianMs: 1000, p95Ms: 1900, slowestMs: 2000 });
      });

      it('of a block that failed at first, from its first alarm, and of one that was held from its approval', async () => {
        await keep(ledger, alarm());
        await carry(ledger, away);
        test.advance(minute);
        await keep(ledger, alarm());
        await carry(ledger);
        expect((await ledger.findHistory(0)).proof?.slowestMs).to.equal(minute);
        const limits = { perMinute: 9, active: 1 };
        const held = await keep(ledger, alarm([block({}, { port: '2' })]), { limits });
        test.advance(hour);
        const since = await ledger.now();
        await ledger.decide('approve', [held.id]);
        test.advance(100);
        await carry(ledger);
        expect((await ledger.findHistory(since)).proof?.slowestMs).to.equal(100);
      });

      it('what failed, by cause, each block once however often it is tried', async () => {
        const refused: BlockResult = { kind: 'failed', failure: 'failed', code: 'load_refused', reason: 'pf refused' };
        await keep(ledger, alarm([block({}, { port: '1' })]));
        await keep(ledger, alarm([block({}, { port: '2' })]));
        for (let attempt = 0; attempt < 3; attempt += 1) {
          await carry(ledger, away);
          test.advance(hour);
        }
        await keep(ledger, alarm([block({}, { port: '3' })]));
        await carry(ledger, refused);
        const history = await ledger.findHistory(0);
        expect(history.causes).to.deep.equal([
          { code: 'load_refused', blocks: 3 },
          { code: 'unreachable', blocks: 2 },
        ]);
        expect(history.outcomes.failed).to.equal(5);
        expect(history.now).to.include({ underWay: 3, failing: 3 });
      });

      it('who was met most, without what was refused', async () => {
        await keep(ledger, alarm([block({}, { port: '1' })]));
        await keep(ledger, alarm([block({}, { port: '1' })]));
        await keep(ledger, alarm([block({}, { port: '2' }), block({ firewall: 'inner' }, { port: '2' })]));
        await keep(ledger, alarm([block({}, { source: '203.0.113.8' })]));
        await keep(ledger, alarm([block({ refusal: 'refused' }, { source: '203.0.113.9' })]));
        const { sources, destinations } = await ledger.findHistory(0);
        expect(sources).to.deep.equal([
          { address: '203.0.113.7', blocks: 3, alarms: 3 },
          { address: '203.0.113.8', blocks: 1, alarms: 1 },
        ]);
        expect(destinations).to.deep.equal([{ address: '192.168.1.10', blocks: 4, alarms: 4 }]);
      });

      it('which firewalls did not agree with it: how often, and how the last time', async () => {
        await ledger.recordDrift('edge', 5);
        test.advance(hour);
        await ledger.recordDrift('edge', 2);
        await ledger.recordDrift('inner', 1);
        const lastAt = await ledger.now();
        expect((await ledger.findHistory(0)).drift).to.deep.equal([
          { firewall: 'edge', times: 2, lastAt, differences: 2 },
          { firewall: 'inner', times: 1, lastAt, differences: 1 },
        ]);
        test.advance(1);
        expect((await ledger.findHistory(await ledger.now())).drift).to.deep.equal([]);
      });

      it('and forgets what is too old', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        await ledger.recordDrift('edge', 1);
        test.advance(2 * hour);
        await ledger.expire({ heldMs: hour, keepAlarmsMs: hour });
        const { outcomes, drift } = await ledger.findHistory(0);
        expect({ outcomes, drift }).to.deep.equal({ outcomes: nothing, drift: [] });
      });
    });

    describe('tells how things are', () => {
      it('on each firewall, and when the last alarm and the last expire were', async () => {
        const empty = await ledger.findOverview(['edge']);
        expect(empty).to.deep.include({ lastAlarmAt: null, lastExpireAt: null, messages: { waiting: 0, failing: 0 } });
        expect(empty.firewalls[0]).to.deep.include({ name: 'edge', lastRun: null, lastProofAt: null });
        await keep(ledger, alarm());
        const at = await ledger.now();
        await carry(ledger);
        test.advance(minute);
        await ledger.expire({ heldMs: hour, keepAlarmsMs: hour });
        await ledger.queueMessage({ id: 'M', kind: 'mail', content: {} });
        const { firewalls, ...rest } = await ledger.findOverview(['edge', 'inner']);
        expect(rest).to.deep.equal({
          lastAlarmAt: at,
          lastExpireAt: at + minute,
          messages: { waiting: 1, failing: 0 },
        });
        expect(
          firewalls.map(({ name, blocks, lastRun, lastProofAt }) => [name, blocks.active, lastRun?.batch, lastProofAt]),
        ).to.deep.equal([
          ['edge', 1, 1, at],
          ['inner', 0, undefined, null],
        ]);
      });

      it('since when: its oldest block, or its first use', async () => {
        const first = await ledger.findBeginning();
        expect(first).to.equal(await ledger.now());
        test.advance(minute);
        expect(await ledger.findBeginning()).to.equal(first);
      });

      it('since when: a ledger of an earlier release, by its oldest block', async () => {
        await keep(ledger, alarm());
        const at = await ledger.now();
        test.advance(minute);
        expect(await ledger.findBeginning()).to.equal(at);
      });

      it('as the latest outcomes of a source or a firewall, oldest first', async () => {
        await keep(ledger, alarm());
        await keep(ledger, alarm([block({ refusal: 'refused' }, { source: '203.0.113.8' })]));
        await carry(ledger);
        const kinds = async (query: object): Promise<string[]> =>
          (await ledger.findOutcomes({ since: 0, limit: 10, ...query })).map(({ kind }) => kind);
        expect(await kinds({})).to.deep.equal(['refused', 'proven']);
        expect(await kinds({ limit: 1 })).to.deep.equal(['proven']);
        expect(await kinds({ source: '203.0.113.8' })).to.deep.equal(['refused']);
        expect(await kinds({ firewalls: ['inner'] })).to.deep.equal([]);
        const [first] = await ledger.findOutcomes({ since: 0, limit: 10 });
        expect(await kinds({ after: first!.seq })).to.deep.equal(['proven']);
        expect(await kinds({ since: (await ledger.now()) + 1 })).to.deep.equal([]);
      });
    });

    describe('tells a feed what has come about:', () => {
      const kinds = async (sender: string, from = ledger): Promise<string[]> =>
        (await from.claimOutcomes('syslog', sender, minute)).map(({ kind }) => kind);

      it('each outcome once, in order, with its block', async () => {
        await keep(ledger, alarm());
        expect(await kinds('one')).to.deep.equal([]);
        await carry(ledger);
        await ledger.release({}, 'by a person');
        await carry(ledger);
        const claimed = await ledger.claimOutcomes('syslog', 'one', minute);
        expect(claimed.map(({ kind, block: { flow: told } }) => [kind, told.source])).to.deep.equal([
          ['proven', '203.0.113.7'],
          ['released', '203.0.113.7'],
        ]);
        await ledger.ackOutcomes('syslog', 'one', { seq: claimed[0]!.seq });
        expect(await kinds('one')).to.deep.equal(['released']);
        await ledger.ackOutcomes('syslog', 'one', { seq: claimed[1]!.seq });
        expect(await kinds('one')).to.deep.equal([]);
      });

      it('to one sender at a time, and to the next where that one died or has told all', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        expect(await kinds('one')).to.deep.equal(['proven']);
        expect(await kinds('two', other)).to.deep.equal([]);
        test.advance(minute);
        const [told] = await ledger.claimOutcomes('syslog', 'two', minute);
        await ledger.ackOutcomes('syslog', 'one', { seq: told!.seq });
        expect(await kinds('two')).to.deep.equal(['proven']);
        await ledger.ackOutcomes('syslog', 'two', { seq: told!.seq });
        expect(await kinds('two')).to.deep.equal([]);
        await ledger.release({}, 'by a person');
        await carry(ledger);
        expect(await kinds('three')).to.deep.equal(['released']);
      });

      it('again after a rest where they were not taken', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        await kinds('one');
        await ledger.ackOutcomes('syslog', 'one', { retryAfterMs: minute });
        expect(await kinds('two')).to.deep.equal([]);
        test.advance(minute);
        expect(await kinds('two')).to.deep.equal(['proven']);
      });

      it('but not what is a week old, nor to a new feed what is long over', async () => {
        await keep(ledger, alarm());
        await carry(ledger);
        test.advance(hour);
        expect(await kinds('one')).to.deep.equal([]);
        await ledger.release({}, 'by a person');
        await carry(ledger);
        test.advance(8 * 24 * hour);
        expect(await kinds('one')).to.deep.equal([]);
      });
    });

    it('moves the end of a block, and keeps what an operator notes on it', async () => {
      const { id } = await keep(ledger, alarm());
      const later = (await ledger.now()) + 48 * hour;
      expect((await ledger.amend(id, { expiresAt: later })).expiresAt).to.equal(later);
      await ledger.amend(id, { comment: 'ticket 17' });
      expect((await ledger.findBlocks({ ids: [id] }))[0]).to.include({ expiresAt: later, comment: 'ticket 17' });
      await carry(ledger);
      test.advance(30 * hour);
      expect(await ledger.expire({ heldMs: hour, keepAlarmsMs: hour })).to.deep.equal([]);
      await ledger.amend(id, { expiresAt: null });
      test.advance(30 * hour);
      expect(await ledger.expire({ heldMs: hour, keepAlarmsMs: hour })).to.deep.equal([]);
      expect((await ledger.amend(id, { comment: null })).comment).to.equal(null);
    });

    it('remembers why an operator went against the policy', async () => {
      const kept = await keep(ledger, alarm([block({ override: 'said so' })]));
      expect((await ledger.findBlocks({ ids: [kept.id] }))[0]!.override).to.equal('said so');
    });

    it('lists the sources of matching blocks, each once, however many', async () => {
      const sources = Array.from({ length: 4001 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
      await keep(
        ledger,
        alarm([...sources, '10.0.0.7'].map((source, index) => block({}, { source, port: String(1 + index) }))),
      );
      await keep(
        ledger,
        alarm([block({ refusal: 'no' }, { source: '10.0.0.255' }), block({ refusal: 'no' }, { source: '10.1.0.0' })]),
      );
      const found: string[] = [];
      for await (const page of other.readSources({ states: ['pending'], firewalls: ['edge'] })) found.push(...page);
      expect(found).to.deep.equal([...sources].sort());
    });

    describe('lists blocks page by page:', () => {
      /** Sources of blocks recorded a minute apart, with the durations in minutes; null is without an end. */
      const record = async (durations: readonly (number | null)[]): Promise<void> => {
        for (const [index, minutes] of durations.entries()) {
          const durationMs = minutes === null ? null : minutes * minute;
          await keep(ledger, alarm([block({ durationMs }, { source: `203.0.113.${index + 1}` })]));
          test.advance(minute);
        }
      };
      const lastOf = (found: readonly ListedBlock[]): string[] =>
        found.map(({ block: { flow } }) => flow.source.replace('203.0.113.', ''));
      const readAll = async (order: 'newest' | 'end', query: BlockQuery = {}): Promise<string[][]> => {
        const pages: string[][] = [];
        for (let from: string | undefined; ;) {
          const found = await other.findBlockPage(query, { order, limit: 2, from });
          if (found.length === 0) return pages;
          pages.push(lastOf(found));
          from = found.at(-1)?.block.id;
        }
      };

      it('the newest first, each once', async () => {
        await record([60, 60, 60, 60, 60]);
        expect(await readAll('newest')).to.deep.equal([['5', '4'], ['3', '2'], ['1']]);
      });

      it('or the first to end, those without an end last', async () => {
        await record([60, null, 30, null, 45]);
        expect(await readAll('end')).to.deep.equal([['3', '5'], ['1', '2'], ['4']]);
      });

      it('in an order of its own for blocks of one moment, which their pages agree on', async () => {
        const sources = Array.from({ length: 7 }, (_, index) => `203.0.113.${index + 1}`);
        await keep(ledger, alarm(sources.map((source) => block({}, { source }))));
        for (const order of ['newest', 'end'] as const)
          expect((await readAll(order)).flat().sort()).to.deep.equal(['1', '2', '3', '4', '5', '6', '7']);
      });

      it('and goes on behind a block of the page before it, whatever came or went meanwhile', async () => {
        await record([60, 60, 60, 60]);
        const [, last] = await ledger.findBlockPage({}, { order: 'newest', limit: 2 });
        await keep(ledger, alarm([block({}, { source: '203.0.113.9' })]));
        await ledger.release({ ids: [last!.block.id] }, 'meanwhile');
        const next = await ledger.findBlockPage(
          { isCurrent: true },
          { order: 'newest', limit: 2, from: last!.block.id },
        );
        expect(lastOf(next)).to.deep.equal(['2', '1']);
      });

      it('with the origin of the first alarm of each', async () => {
        await ledger.recordAlarms([{ ...alarm(), origin: 'the first' }], { recheckMs });
        await ledger.recordAlarms([{ ...alarm(), origin: 'the second' }], { recheckMs });
        const found = await other.findBlockPage({}, { order: 'newest', limit: 2 });
        expect(found.map(({ origin, block: { alarms: many } }) => [origin, many])).to.deep.equal([['the first', 2]]);
      });

      it('of those that the query names, and counts as many', async () => {
        await keep(ledger, alarm([block({ description: 'Port SCAN' }, { source: '203.0.113.1' })]));
        await keep(ledger, alarm([block({ tags: ['web'] }, { source: '203.0.113.2' })]));
        const noted = await keep(ledger, alarm([block({ firewall: 'inner' }, { source: '203.0.113.3' })]));
        await ledger.amend(noted.id, { comment: '100% sure_' });
        test.advance(minute);
        const until = (await ledger.now()) - 1;
        await keep(ledger, alarm([block({}, { source: '203.0.113.4' })]));
        const cases: [BlockQuery, string[]][] = [
          [{ search: 'port scan' }, ['1']],
          [{ search: 'WEB' }, ['2']],
          [{ search: '0% sure_' }, ['3']],
          [{ search: '% ' }, ['3']], // text, not a pattern
          [{ search: "' OR 1=1 --" }, []],
          [{ search: noted.id.slice(-8).toLowerCase() }, ['3']],
          [{ firewalls: ['inner'] }, ['3']],
          [{ createdUntil: until }, ['3', '2', '1']],
          [{ createdUntil: until, firewalls: ['edge'] }, ['2', '1']],
          [{ states: ['held'] }, []],
        ];
        for (const [query, expected] of cases) {
          const found = await other.findBlockPage(query, { order: 'newest', limit: 100 });
          expect([lastOf(found), await other.countBlocks(query)], JSON.stringify(query)).to.deep.equal([
            expected,
            expected.length,
          ]);
        }
      });
    });

    describe('knows the people of the page:', () => {
      const session = { hash: 's1', name: 'alice', role: 'admin', via: 'password', address: '192.0.2.7' } as const;
      const logIn = (hash: string, name: string = session.name) =>
        ledger.addWebSession({ ...session, hash, name, forMs: 12 * hour });
      const hashes = async (name: string = session.name): Promise<string[]> =>
        (await other.findWebSessions(name, hour)).map(({ hash }) => hash);

      it('each name once, by whom it was added, and the hash of its password only where it is asked for', async () => {
        const alice = { name: 'alice', role: 'admin', password: 'hash 1' } as const;
        expect(await ledger.as('root').addPerson(alice)).to.equal(true);
        expect(await other.addPerson({ ...alice, role: 'viewer', password: 'hash 2' })).to.equal(false);
        await ledger.addPerson({ name: 'Bob', role: 'viewer', password: 'hash 3' });
        const shown = { name: 'alice', role: 'admin', createdAt: await ledger.now(), by: 'root' };
        expect(await other.findPerson('alice')).to.deep.equal({ ...shown, password: 'hash 1' });
        expect((await other.findPeople()).map(({ name }) => name)).to.deep.equal(['Bob', 'alice']);
        expect((await other.findPeople())[1]).to.deep.equal(shown);
        expect(await other.findPerson('bob')).to.equal(undefined);
      });

      it('with a new role or password, which leaves the other as it is', async () => {
        await ledger.addPerson({ name: 'alice', role: 'admin', password: 'hash 1' });
        expect(await ledger.changePerson('alice', { role: 'viewer' })).to.equal(true);
        expect(await other.findPerson('alice')).to.include({ role: 'viewer', password: 'hash 1' });
        expect(await ledger.changePerson('alice', { password: 'hash 2' })).to.equal(true);
        expect(await other.findPerson('alice')).to.include({ role: 'viewer', password: 'hash 2' });
        expect(await ledger.changePerson('bob', { role: 'admin' })).to.equal(false);
        expect([await ledger.removePerson('alice'), await ledger.removePerson('alice')]).to.deep.equal([true, false]);
        expect(await other.findPeople()).to.deep.equal([]);
      });

      it('and who is logged in: the latest first, in every process', async () => {
        await logIn('s1');
        test.advance(minute);
        await logIn('s2');
        await logIn('s3', 'bob');
        expect(await hashes()).to.deep.equal(['s2', 's1']);
        const startedAt = (await ledger.now()) - minute;
        expect(await other.findWebSession('s1', hour)).to.deep.equal({ ...session, startedAt, seenAt: startedAt });
        expect(await other.findWebSession('s4', hour)).to.equal(undefined);
      });

      it('until a session is not used for so long; each use counts', async () => {
        await logIn('s1');
        await logIn('s2');
        test.advance(hour - 1);
        await ledger.touchWebSession('s1');
        expect(await hashes()).to.have.members(['s1', 's2']);
        test.advance(1);
        expect(await hashes()).to.deep.equal(['s1']);
        expect(await other.findWebSession('s2', hour)).to.equal(undefined);
        expect(await other.findWebSession('s2', 2 * hour)).to.include({ hash: 's2' });
        test.advance(hour - 1);
        expect(await other.findWebSession('s1', hour)).to.equal(undefined);
      });

      it('until its time is up, however often it is used', async () => {
        await logIn('s1');
        test.advance(12 * hour - 1);
        await ledger.touchWebSession('s1');
        expect(await other.findWebSession('s1', hour)).to.include({ hash: 's1' });
        test.advance(1);
        expect(await other.findWebSession('s1', hour)).to.equal(undefined);
        await ledger.touchWebSession('s1');
        expect(await hashes()).to.deep.equal([]);
      });

      it('until they log out, of one session or of all but one', async () => {
        for (const hash of ['s1', 's2', 's3']) await logIn(hash);
        await logIn('s4', 'bob');
        await ledger.endWebSession({ hash: 's1', name: 'alice' });
        expect(await hashes()).to.have.members(['s2', 's3']);
        await ledger.endWebSessions('alice', 's2');
        expect([await hashes(), await hashes('bob')]).to.deep.equal([['s2'], ['s4']]);
        await ledger.endWebSessions('alice');
        expect([await hashes(), await hashes('bob')]).to.deep.equal([[], ['s4']]);
      });

      it('until they get a role or a password, or are removed', async () => {
        for (const name of ['alice', 'bob']) await ledger.addPerson({ name, role: 'admin', password: 'hash 1' });
        const ends: (() => Promise<boolean>)[] = [
          () => ledger.changePerson('alice', { role: 'admin' }),
          () => ledger.changePerson('alice', { password: 'hash 1' }),
          () => ledger.removePerson('alice'),
        ];
        await logIn('of bob', 'bob');
        for (const end of ends) {
          await logIn('s1');
          expect(await end()).to.equal(true);
          expect([await hashes(), await hashes('bob')]).to.deep.equal([[], ['of bob']]);
        }
      });
    });
  });
}
