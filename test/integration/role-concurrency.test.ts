import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { runPlaybook, startPlaybook, type Flow, type PlaybookRun, type RunningPlaybook } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';

/** With FIREBREAK_LONG=1 the pages save 500 times, while eight runs at a time come and go, not four. */
const saves = process.env['FIREBREAK_LONG'] === '1' ? 500 : 30;
const runners = process.env['FIREBREAK_LONG'] === '1' ? 8 : 4;

function makeFlows(runner: number, round: number, count: number): Flow[] {
  return Array.from({ length: count }, (_, index) => ({
    source: `203.${runner}.${round}.${index + 1}`,
    destination: '192.168.1.10',
    port: '22',
    description: 'blocked',
  }));
}

/** How often each tracker stands in the file. */
function countTrackers(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, tracker = ''] of text.matchAll(/<tracker>(\d+)<\/tracker>/g)) {
    counts.set(tracker, (counts.get(tracker) ?? 0) + 1);
  }
  return counts;
}

describe('beside others, the pfSense role', function () {
  this.timeout(saves * 20_000);
  let firewall: Firewall;

  beforeEach(async () => {
    firewall = await startFirewall();
  });

  afterEach(async () => {
    await firewall.stop();
  });

  const isThere = (tracker: string | number): boolean =>
    countTrackers(firewall.readConfig()).get(String(tracker)) === 1;

  const isBlocked = async (tracker: number): Promise<boolean> =>
    (await firewall.loadedRules()).some((rule) => rule.startsWith('block ') && rule.endsWith(` ${tracker}`));

  /** Waits until the run has begun its reload. */
  async function waitForReload(run: RunningPlaybook): Promise<void> {
    let isOver = false as boolean; // set by the promise, which the compiler does not see
    void run.ended.then(() => (isOver = true));
    while (
      !isOver &&
      !run.events().some(({ event, task }) => event === 'task' && /Reload the rules/.test(task ?? ''))
    ) {
      await sleep(10);
    }
  }

  it(`loses and doubles no rule while the pages save ${saves} times and ${runners} runs go on at once`, async () => {
    const added: string[] = [];
    const gone: string[] = [];
    let isSaving = true;

    /** The file is as pfSense would have it, and no rule of the pages is lost. */
    async function expectSound(): Promise<void> {
      const text = firewall.readConfig();
      await firewall.run('usr/local/bin/php', [
        '-r',
        'exit(is_array(parse_xml_config($argv[1])) ? 0 : 1);',
        firewall.configFile,
      ]);
      const counts = countTrackers(text);
      expect([...counts].filter(([tracker, count]) => count > 1 && tracker.startsWith('2'))).to.deep.equal([]);
      for (const tracker of added) expect(counts.get(tracker), `rule ${tracker} of the pages`).to.equal(1);
      for (const tracker of gone) expect(counts.has(tracker), `rule ${tracker} of the pages`).to.be.false;
    }

    /** Somebody adds, edits and deletes rules of his own, and saves other pages. */
    async function save(): Promise<void> {
      for (let count = 0; count < saves; count += 1) {
        const tracker = String(1_720_000_000 + count);
        if (count % 4 === 0) {
          await firewall.gui(['add-rule', '--tracker', tracker, '--descr', 'by hand', '--source', '198.51.100.9']);
          added.push(tracker);
        } else if (count % 4 === 1) {
          await firewall.gui(['edit-rule', added.at(-1)!, '--descr', `by hand, ${count}`]);
        } else if (count % 8 === 2 && added.length > 1) {
          await firewall.gui(['delete-rule', added[0]!]);
          gone.push(added.shift()!);
        } else {
          await firewall.gui(['save']);
        }
        await expectSound();
      }
      isSaving = false;
    }

    const last: { present: Flow[]; absent: Flow[] }[] = [];
    const failures: PlaybookRun[] = [];

    /** Each run adds some and takes out those of the one before. */
    async function keepRunning(runner: number): Promise<void> {
      for (let round = 0; isSaving; round += 1) {
        last[runner] = {
          present: makeFlows(runner, round, 3),
          absent: round === 0 ? [] : makeFlows(runner, round - 1, 3),
        };
        const run = await runPlaybook(firewall, last[runner]);
        if (run.code !== 0) failures.push(run);
      }
    }

    await Promise.all([save(), ...Array.from({ length: runners }, (_, runner) => keepRunning(runner))]);
    // A run may lose its edit to a save, or not get the lock within its 30 s on a busy machine. It says so, and is undone.
    const told = failures.map((run) => run.error()?.code ?? run.text);
    expect(
      told.filter((code) => !['edit_overwritten', 'lock_timeout'].includes(code)),
      'failures that nobody’s save explains',
    ).to.deep.equal([]);
    await expectSound();

    // A save that was begun before an edit and ended after its proof wrote over it: one more run heals that.
    const present = last.flatMap((batch) => batch.present);
    const absent = last.flatMap((batch) => batch.absent);
    const healed = await runPlaybook(firewall, { present, absent });
    expect(healed.code, healed.text).to.equal(0);
    await expectSound();
    for (const tracker of [...healed.result().added, ...healed.result().present]) {
      expect(isThere(tracker)).to.be.true;
      expect(await isBlocked(tracker)).to.be.true;
    }
    expect(healed.result().added.length + healed.result().present.length).to.equal(present.length);
    const again = await runPlaybook(firewall, { present, absent });
    expect(again.changed(), again.text).to.be.false;
  });

  it('notices a save that was begun before its edit and wrote over it, and makes the edit again', async () => {
    firewall.setFaults({ reloadStall: 2 });
    const [stands, comes] = [makeFlows(1, 1, 1), makeFlows(1, 2, 1)];
    await runPlaybook(firewall, { present: stands });
    await firewall.gui(['begin']);
    const run = startPlaybook(firewall, { present: comes, absent: stands });
    await waitForReload(run);
    await firewall.gui(['commit', 'save']); // brings back what the run took out, and drops what it added
    firewall.clearFaults();
    const ended = await run.ended;
    expect(ended.code, ended.text).to.equal(0);
    expect(ended.result().proven).to.be.true;
    const [tracker = 0] = ended.result().added;
    expect(isThere(tracker)).to.be.true;
    expect(await isBlocked(tracker)).to.be.true;
    expect(firewall.readConfig()).to.not.contain(stands[0]!.source);
  });

  it('has its rule back at the next run where such a save came after the proof', async () => {
    const present = makeFlows(1, 1, 1);
    await firewall.gui(['begin']);
    const run = await runPlaybook(firewall, { present });
    const [tracker = 0] = run.result().added;
    await firewall.gui([
      'commit',
      'add-rule',
      '--tracker',
      '1720000000',
      '--descr',
      'by hand',
      '--source',
      '198.51.100.9',
    ]);
    expect(isThere(tracker)).to.be.false;
    const next = await runPlaybook(firewall, { present });
    expect(next.result().added).to.deep.equal([tracker]);
    expect(isThere(tracker)).to.be.true;
    expect(isThere(1720000000)).to.be.true;
  });

  it('carries the same batch eight times at once, and each rule comes once', async () => {
    const present = makeFlows(2, 1, 20);
    const runs = await Promise.all(Array.from({ length: runners }, () => runPlaybook(firewall, { present })));
    for (const run of runs) {
      expect(run.code, run.text).to.equal(0);
      expect(run.result().proven).to.be.true;
      expect(run.result().added.length + run.result().present.length).to.equal(20);
    }
    for (const { source } of present)
      expect(firewall.readConfig().split(`<address>${source}</address>`)).to.have.length(2);
    expect(runs.filter((run) => run.result().added.length > 0)).to.have.length(1);
  });
});
