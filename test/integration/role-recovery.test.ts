import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { runPlaybook, startPlaybook, type Flow, type RunningPlaybook } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { endAll, findInLab } from '../lab/processes.js';

/** With FIREBREAK_LONG=1 many cuts more, at random moments. */
const long = process.env['FIREBREAK_LONG'] === '1';

const makeFlows = (...ends: number[]): Flow[] =>
  ends.map((end) => ({ source: `203.0.113.${end}`, destination: '192.168.1.10', port: '22' }));

/** A moment of a run: so long after its task was begun, or ended. */
interface Moment {
  readonly title: string;
  readonly task: RegExp;
  readonly event: 'task' | 'result';
  readonly afterMs: number;
}

const moments: readonly Moment[] = [
  { title: 'while it looks', task: /Compare the configuration and pf with the batch/, event: 'task', afterMs: 150 },
  {
    title: 'between the look and the edit',
    task: /Compare the configuration and pf with the batch/,
    event: 'result',
    afterMs: 0,
  },
  { title: 'in the middle of the removal', task: /Insert the missing/, event: 'task', afterMs: 250 },
  { title: 'in the middle of the insertion', task: /Insert the missing/, event: 'task', afterMs: 900 },
  { title: 'between the edit and the reload', task: /Insert the missing/, event: 'result', afterMs: 0 },
  { title: 'during the reload', task: /Reload the rules, verify/, event: 'task', afterMs: 600 },
  { title: 'after the proof', task: /Reload the rules, verify/, event: 'result', afterMs: 0 },
];

describe('a run that is cut short is healed by the next one:', function () {
  this.timeout(120_000);
  let firewall: Firewall;
  let untouched: string[];
  // Each test blocks what stands not yet and releases what does: the next one the other way round.
  let [blocked, released] = [makeFlows(1, 2), makeFlows(3, 4)];

  before(async () => {
    firewall = await startFirewall();
    untouched = await firewall.loadedRules();
    const run = await runPlaybook(firewall, { present: blocked });
    expect(run.code, run.text).to.equal(0);
  });

  after(async () => {
    await firewall.stop();
  });

  beforeEach(() => {
    [blocked, released] = [released, blocked];
    firewall.setFaults({ reloadStall: 0.8 });
  });

  /** Waits for it, or for the end of the run. */
  async function waitUntil(run: RunningPlaybook, isSo: () => boolean): Promise<void> {
    let isOver = isSo;
    void run.ended.then(() => {
      isOver = () => true;
    });
    while (!isOver()) await sleep(10);
  }

  async function waitFor(run: RunningPlaybook, { task, event, afterMs }: Moment): Promise<void> {
    await waitUntil(run, () => run.events().some((one) => one.event === event && task.test(one.task ?? '')));
    await sleep(afterMs);
  }

  /** The Ansible host loses its power: what it had begun on the firewall may go on. */
  async function cutHost(run: RunningPlaybook): Promise<void> {
    await run.kill();
  }

  /** The firewall loses its power, and boots again: it loads what stands in its configuration. */
  async function cutFirewall(run: RunningPlaybook): Promise<void> {
    const lab = path.join(firewall.root, 'ssh');
    await firewall.goAway();
    await endAll(findInLab(lab));
    await run.ended;
    firewall.clearFaults();
    await firewall.run('etc/rc.filter_configure_sync');
    await firewall.comeBack();
  }

  /** Only the programs of the run's sessions die, as by an admin's kill -9: whatever cache there is stays. */
  async function cutSessions(run: RunningPlaybook): Promise<void> {
    const lab = path.join(firewall.root, 'ssh');
    const listener = firewall.pid();
    await endAll(findInLab(lab).filter((pid) => pid !== listener));
    await run.ended;
  }

  function countRules(flows: readonly Flow[]): number[] {
    const text = firewall.readConfig();
    return flows.map(({ source }) => text.split(`<address>${source}</address>`).length - 1);
  }

  /** Temporary files beside the configuration, or in the edit's own folder. */
  function findLeftovers(): string[] {
    const names = readdirSync(path.dirname(firewall.configFile), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /\.ansible|tmp[^/]*$/.test(name) && !/moduletmp[^/]*$/.test(name));
  }

  async function expectHealed(): Promise<void> {
    firewall.clearFaults();
    const php = await firewall.run('usr/local/bin/php', [
      '-r',
      'exit(is_array(parse_xml_config($argv[1])) ? 0 : 1);',
      firewall.configFile,
    ]);
    expect(php.stdout, 'pfSense reads the file').to.equal('');
    for (const count of countRules([...released, ...blocked])) expect(count).to.be.at.most(1);

    const batch = { present: blocked, absent: released };
    const run = await runPlaybook(firewall, batch);
    expect(run.code, run.text).to.equal(0);
    expect(run.result().proven).to.be.true;
    expect(countRules(blocked)).to.deep.equal([1, 1]);
    expect(countRules(released)).to.deep.equal([0, 0]);
    const rules = await firewall.loadedRules();
    for (const { source } of blocked)
      expect(rules.filter((rule) => rule.includes(` from ${source} to `))).to.have.length(1);
    expect(rules.filter((rule) => !rule.includes('203.0.113.'))).to.deep.equal(untouched);
    expect(findLeftovers()).to.deep.equal([]);
    await firewall.gui(['save']);
    expect(countRules(blocked)).to.deep.equal([1, 1]);
  }

  const cuts = [
    ['the Ansible host dies', cutHost],
    ['the firewall dies', cutFirewall],
    ["the run's sessions on the firewall are killed", cutSessions],
  ] as const;

  // In the ordinary run each moment has one cut, each cut two or three moments; in the long one they all meet.
  for (const [index, moment] of moments.entries()) {
    for (const [title, cut] of long ? cuts : [cuts[index % cuts.length]!]) {
      it(`${title} ${moment.title}`, async () => {
        const run = startPlaybook(firewall, { present: blocked, absent: released });
        await waitFor(run, moment);
        await cut(run);
        await expectHealed();
      });
    }
  }

  it('the firewall dies in the middle of an edit that left its working copy', async () => {
    const hang = { pfsense_validate: "/bin/sh -c 'sleep 600'" }; // the edit hangs in its own check
    const run = startPlaybook(firewall, { present: blocked, vars: hang });
    const folder = path.join(path.dirname(firewall.configFile), '.firebreak');
    await waitUntil(run, () => existsSync(folder) && readdirSync(folder, { recursive: true }).length > 1);
    await sleep(200);
    await cutFirewall(run);
    expect(readdirSync(folder, { recursive: true })).to.not.be.empty;
    await expectHealed();
    expect(existsSync(folder)).to.be.false;
  });

  if (long) {
    it('any of them, at any moment, a hundred times', async function () {
      this.timeout(3_600_000);
      for (let count = 0; count < 100; count += 1) {
        const run = startPlaybook(firewall, { present: blocked, absent: released });
        await sleep(500 + Math.random() * 3000);
        await cuts[count % cuts.length]![1](run);
        await expectHealed();
        [blocked, released] = [released, blocked];
        firewall.setFaults({ reloadStall: 0.8 });
      }
    });
  }
});
