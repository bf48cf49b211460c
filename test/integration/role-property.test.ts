import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { runPlaybook } from '../lab/ansible.js';
import { sample, startFirewall, type Firewall } from '../lab/firewall.js';
import { randomBatch, randomConfig, renderConfig, type RandomConfig, type Wanted } from '../lab/random-config.js';
import { startRoleSteps, type RoleSteps, type StepsAnswer } from '../lab/role-steps.js';
import { layOutFirewall } from '../lab/stand-ins.js';

/** With FIREBREAK_LONG=1 the same, many times more often. */
const often = process.env['FIREBREAK_LONG'] === '1' ? 20 : 1;

/** The configurations to run on besides our own: those of the folder that FIREBREAK_SAMPLES names, if it does. */
function findSamples(): string[] {
  const folder = process.env['FIREBREAK_SAMPLES'];
  const given = folder === undefined ? [] : readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = given.filter((name) => name.endsWith('.xml')).map((name) => path.join(folder ?? '', name));
  return [sample('office'), sample('plain'), ...files.filter((file) => existsSync(file))];
}

interface Batch {
  readonly present: Wanted['flow'][];
  readonly absent: Wanted['flow'][];
}

const flowsOf = (wanted: readonly Wanted[], want: Wanted['want']): Wanted['flow'][] =>
  wanted.filter((one) => one.want === want).map((one) => one.flow);

const batchOf = (wanted: readonly Wanted[]): Batch => ({
  present: flowsOf(wanted, 'present'),
  absent: flowsOf(wanted, 'absent'),
});

const trackersOf = (wanted: readonly Wanted[], isOne: (one: Wanted) => boolean): number[] =>
  wanted.filter(isOne).map(({ flow }) => flow.tracker);

describe('for any configuration and batch, the pfSense role', function () {
  this.timeout(120_000 * often);
  let steps: RoleSteps;
  let root: string;
  let file: string;

  before(async () => {
    steps = await startRoleSteps();
  });

  after(async () => {
    await steps.stop();
  });

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'steps-'));
    layOutFirewall(root, '2.7.2');
    mkdirSync(path.join(root, 'own'));
    file = path.join(root, 'own/config.xml');
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  async function run(batch: Batch, { fix = false, php = true } = {}): Promise<StepsAnswer> {
    const program = path.join(root, php ? 'usr/local/bin/php' : 'none');
    const answer = await steps.run({ file, php: program, version: '2.7.2', fix, ...batch });
    expect(answer.left, 'left beside the file').to.deep.equal([]);
    return answer;
  }

  /** The edit went through, and pfSense reads the same file but for our rules. */
  function expectClean(answer: StepsAnswer): void {
    expect(answer, JSON.stringify(answer)).to.include({ failed: null, restIsSame: true, saveKeepsAll: true });
    expect(answer.changed).to.equal(!answer.same);
    if (answer.wasAsSaved) expect(answer.isAsSaved, 'a save in the GUI changes nothing more').to.be.true;
    const trackers = (answer.ours ?? []).map((rule) => rule.tracker);
    expect(new Set(trackers).size, 'no rule twice').to.equal(trackers.length);
  }

  /** Each rule that should stand does, word for word. */
  function expectRules(answer: StepsAnswer, flows: readonly Wanted['flow'][]): void {
    for (const flow of flows) {
      const rule = answer.ours?.find((one) => Number(one.tracker) === flow.tracker);
      expect(rule, `rule ${flow.tracker}`).to.deep.include({ type: flow.type, interface: flow.interface });
      expect(rule?.protocol).to.equal(flow.protocol === 'any' ? undefined : flow.protocol);
      expect(rule?.source?.address).to.equal(flow.source);
      expect(rule?.destination?.address).to.equal(flow.destination);
      expect(rule?.destination?.port).to.equal(flow.port === '' ? undefined : flow.port);
    }
  }

  it('changes only what the batch wants of our rules, and nothing at a second run', async () => {
    let refusals = 0;
    const check = async ({ text, wanted }: RandomConfig): Promise<void> => {
      writeFileSync(file, text);
      const batch = batchOf(wanted);
      const answer = await run(batch);
      if (answer.refused !== undefined) {
        // Comments that look like the filter's line, in a file that was edited by hand: it is left alone.
        expect(answer).to.deep.include({ refused: 'filter_ambiguous', same: true });
        refusals += 1;
        return;
      }
      expectClean(answer);
      const is = (want: string, ...standing: string[]): number[] =>
        trackersOf(wanted, (one) => one.want === want && standing.includes(one.standing));
      expect(answer.missing).to.have.members(is('present', 'no'));
      expect(answer.correct).to.have.members(is('present', 'right', 'earlier'));
      expect(answer.stale).to.have.members(is('absent', 'right', 'earlier', 'disabled'));
      expect(answer.changed_by_hand).to.have.members([
        ...is('present', 'disabled', 'changed'),
        ...is('absent', 'changed'),
      ]);
      const stay = trackersOf(wanted, (one) => one.standing !== 'no' && !answer.stale?.includes(one.flow.tracker));
      expect(answer.ours?.map((rule) => Number(rule.tracker))).to.have.members([...stay, ...(answer.missing ?? [])]);
      expectRules(
        answer,
        batch.present.filter(({ tracker }) => !answer.changed_by_hand?.includes(tracker)),
      );
      expect(await run(batch)).to.include({ changed: false, same: true, failed: null });
    };
    await fc.assert(fc.asyncProperty(randomConfig, check), { numRuns: 40 * often });
    expect(refusals).to.be.below(20 * often);
  });

  it('gives back, byte for byte, the file from before it added rules', async () => {
    const check = async ({ text, wanted }: RandomConfig): Promise<void> => {
      const present = wanted.filter((one) => one.standing === 'no').map((one) => one.flow);
      fc.pre(present.length > 0 && !/<filter\s*\/>|\t<filter><\/filter>/.test(text) && /\t<filter>/.test(text));
      writeFileSync(file, text);
      const added = await run({ present, absent: [] });
      fc.pre(added.refused === undefined);
      expectClean(added);
      expect(added.same).to.be.false;
      expectClean(await run({ present: [], absent: present }));
      const isAlone = /\n\t<filter>\r?\n/.test(text); // a tag that shared its line has one to itself now
      const strip = (one: string): string => (isAlone ? one : one.replace(/\s+/g, ''));
      expect(strip(readFileSync(file, 'utf8'))).to.equal(strip(text));
    };
    await fc.assert(fc.asyncProperty(randomConfig, check), { numRuns: 20 * often });
  });

  it('with firebreak_fix writes changed rules anew, and takes them out', async () => {
    const check = async ({ text, wanted }: RandomConfig): Promise<void> => {
      writeFileSync(file, text);
      const batch = batchOf(wanted);
      const answer = await run(batch, { fix: true });
      fc.pre(answer.refused === undefined);
      expectClean(answer);
      expect(answer.changed_by_hand).to.deep.equal([]);
      const earlier = trackersOf(wanted, ({ want, standing }) => want === 'present' && standing === 'earlier');
      expect(answer.rewrite).to.have.members([
        ...earlier.filter((tracker) => batch.present.some((one) => one.tracker === tracker && one.protocol === 'tcp')),
        ...trackersOf(wanted, ({ want, standing }) => want === 'present' && ['disabled', 'changed'].includes(standing)),
      ]);
      for (const rule of answer.ours ?? []) {
        const isWanted = batch.present.some(({ tracker }) => String(tracker) === rule.tracker);
        if (isWanted) expect('tcpflags_any' in rule).to.equal(rule.protocol === 'tcp');
      }
      expectRules(answer, batch.present);
      for (const { tracker } of batch.absent) {
        expect(answer.ours?.map((rule) => rule.tracker)).to.not.include(String(tracker));
      }
    };
    await fc.assert(fc.asyncProperty(randomConfig, check), { numRuns: 20 * often });
  });

  it('does the same where there is no php to ask', async () => {
    const check = async ({ text, wanted }: RandomConfig): Promise<void> => {
      writeFileSync(file, text);
      const answer = await run(batchOf(wanted), { php: false });
      if (answer.refused === undefined) expectClean(answer);
      else expect(answer.same).to.be.true;
    };
    await fc.assert(fc.asyncProperty(randomConfig, check), { numRuns: 20 * often });
  });

  for (const [index, config] of findSamples().entries()) {
    it(`leaves all else of ${path.basename(config)} (${index + 1}) as it is, whatever comes and goes`, async () => {
      copyFileSync(config, file);
      const check = async (wanted: readonly Wanted[]): Promise<void> => {
        const batch = batchOf(wanted.map((one) => ({ ...one, want: one.want === 'nothing' ? 'present' : one.want })));
        const added = await run(batch);
        expectClean(added);
        expectRules(added, batch.present);
        expectClean(await run({ present: [], absent: batch.present }));
      };
      await fc.assert(fc.asyncProperty(randomBatch, check), { numRuns: 6 * often });
      expect(readFileSync(file, 'utf8')).to.equal(readFileSync(config, 'utf8'));
    });
  }
});

describe('with the real ansible-playbook, the pfSense role', function () {
  this.timeout(180_000 * often);
  let firewall: Firewall;

  afterEach(async () => {
    await firewall.stop();
  });

  it('carries random batches to random configurations, and pf has just what it should', async () => {
    const check = async ({ text, wanted }: RandomConfig): Promise<void> => {
      firewall.writeConfig(text);
      firewall.dropCache();
      await firewall.run('etc/rc.filter_configure_sync');
      const { present, absent } = batchOf(wanted);
      const run = await runPlaybook(firewall, { present, absent, vars: { firebreak_fix: true } });
      fc.pre(run.error()?.code !== 'filter_ambiguous');
      expect(run.code, run.text).to.equal(0);
      const blocked = (await firewall.loadedRules()).filter((rule) => rule.startsWith('block ')).join('\n');
      for (const { tracker } of present) expect(blocked).to.contain(`ridentifier ${tracker}`);
      for (const { tracker } of absent) expect(blocked).to.not.contain(`ridentifier ${tracker}`);
      expect(readdirSync(path.dirname(firewall.configFile))).to.not.include('.firebreak');
    };
    firewall = await startFirewall({ config: sample('plain') });
    await fc.assert(fc.asyncProperty(randomConfig, check), { numRuns: 4 * often });
  });

  it('adds to five megabytes and takes out again', async () => {
    const text = renderConfig({
      ...{ eol: '\n', finalNewline: true, filter: 'lines', syslog: 'behind', separators: true, comments: true },
      ...{ notes: '', rules: [{ descr: 'web', layout: 'gui', comment: false }], wanted: [], layouts: [], places: [] },
      padding: 5_000_000,
    });
    firewall = await startFirewall();
    firewall.writeConfig(text);
    firewall.dropCache();
    const present = [{ source: '203.0.113.7', destination: '192.168.1.10', port: '22' }];
    const added = await runPlaybook(firewall, { present });
    expect(added.code, added.text).to.equal(0);
    expect(added.result().added).to.have.length(1);
    const removed = await runPlaybook(firewall, { absent: present });
    expect(removed.result().removed).to.deep.equal(added.result().added);
    expect(firewall.readConfig() === text).to.be.true;
  });
});
