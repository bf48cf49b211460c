import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';
import { readMessages } from '../lab/messages.js';
import { forgeProofs, type ForgedProof } from '../lab/proofs.js';

const decides = { level: 'decides', message: 'pf drops it by this rule' };
const listed = { level: 'listed', message: 'the rule set has a route-to rule' };
const passes = "floating rule 'Allow monitoring' (tracker 7) passes it first";
const shadowed = { level: 'shadowed', message: passes };
const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];

describe('what a proof is worth', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;
  let tell: (proof: ForgedProof) => void;

  beforeEach(async () => {
    edge = await startFirewall();
    const mail = { host: '127.0.0.1', port: 9, from: 'firebreak@example.org', to: ['soc@example.org'] };
    launcher = makeLauncher({ edge: settingsOf(edge) }, { mail });
    tell = forgeProofs(launcher, decides);
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  /** The subjects of the mails that were kept; nobody takes them. */
  const findMails = (): string[] =>
    readMessages(path.join(launcher.stateDir, 'ledger.db')).map(({ content }) => content['subject'] ?? '');

  const reconcile = async (...options: string[]) => {
    const { exit, stdout } = await launcher.firebreak(['reconcile', '--json', ...options]);
    const { firewalls } = JSON.parse(stdout) as { firewalls: { drift: { kind: string; message: string }[] }[] };
    return { exit, kinds: firewalls.flatMap(({ drift }) => drift.map(({ kind }) => kind)) };
  };

  it('is exit 0 and "in force and proven" where pf decides by the rule, and stays so within the recheck time', async () => {
    const { exit, stdout } = await launcher.firebreak(alarm);
    expect(stdout).to.match(/^edge: blocked .* on wan: in force and proven, tracker/);
    expect(exit).to.equal(0);
    const again = await launcher.json(alarm);
    expect(again.answer.run).to.equal(null);
    expect(again.answer.blocks[0]).to.include({ proof: 'decides', warning: null });
    expect(findMails()).to.deep.equal([]);
  });

  it('is exit 0 with a warning where nobody knows what pf decides, and exit 9 where the policy requires it', async () => {
    for (const [proof, why] of [
      [listed, listed.message],
      [null, 'this playbook does not tell who decides'],
    ] as const) {
      tell(proof);
      const { exit, answer } = await launcher.json([...alarm, '--recheck']);
      expect({ exit, answer: answer.exit }).to.deep.equal({ exit: 0, answer: 0 });
      const warning = `in force; not proven to decide: ${why}`;
      expect(answer.blocks[0]).to.include({ state: 'active', proof: 'listed', warning });
    }
    launcher.configure({ policy: { require_proof: 'decides' } });
    const { exit, answer } = await launcher.json([...alarm, '--recheck']);
    expect({ exit, answer: answer.exit, state: answer.state }).to.deep.equal({ exit: 9, answer: 9, state: 'active' });
    expect((await launcher.firebreak(['list'])).stdout).to.match(/^active \? /m);
    expect(findMails()).to.deep.equal([]);
  });

  it('is exit 9 where another rule passes the packets first: mailed once, not retried, told everywhere', async () => {
    tell(shadowed);
    const { exit, stdout } = await launcher.firebreak(alarm);
    expect(stdout).to.match(/^edge: NOT blocked .* on wan, tracker 2\d{9}, \d+\.\d s: the rule stands, but the packet/);
    expect(stdout).to.include(passes);
    expect(exit).to.equal(9);
    const again = await launcher.json(alarm);
    expect(again.exit).to.equal(9);
    expect(again.answer).to.include({ state: 'active', run: null });
    expect(again.answer.blocks[0]).to.include({ proof: 'shadowed', reason: null });
    expect((await launcher.firebreak(['drain'])).stdout).to.equal('nothing was due\n');
    expect((await launcher.firebreak([...alarm, '--recheck'])).exit).to.equal(9);
    expect(findMails()).to.deep.equal(['[firebreak] edge: 1 block stands but does not stop its packets: 203.0.113.7']);
    expect((await launcher.firebreak(['list'])).stdout).to.match(/^active ! /m);
    expect((await launcher.firebreak(['report'])).stdout).to.include('1 in force (1 bypassed)');
    const doctor = await launcher.firebreak(['doctor']);
    expect(doctor.stdout).to.match(
      /effect +1 block stands but does not stop its packets: 203\.0\.113\.7 .*Allow monitoring/,
    );
  });

  it('is asked again by reconcile, which tells a rule that somebody added, and the end of it', async () => {
    await launcher.firebreak(alarm);
    const before = edge.readConfig();
    tell(shadowed);
    expect(await reconcile()).to.deep.equal({ exit: 5, kinds: ['bypassed'] });
    expect(await reconcile('--fix')).to.deep.equal({ exit: 5, kinds: ['bypassed'] });
    const { stdout } = await launcher.firebreak(['reconcile']);
    expect(stdout).to.match(
      /^edge: bypassed: 203\.0\.113\.7 .*Allow monitoring.*\nedge: a bypassed rule needs a change/,
    );
    expect(stdout).to.not.include('--fix');
    expect(edge.readConfig()).to.equal(before);
    expect((await launcher.json(alarm)).exit).to.equal(9);
    tell(decides);
    expect(await reconcile()).to.deep.equal({ exit: 0, kinds: [] });
    expect((await launcher.json(alarm)).answer.blocks[0]).to.include({ proof: 'decides', warning: null });
    const [first, second, ...more] = findMails();
    expect(first).to.match(/stands but does not stop its packets/);
    expect(second).to.match(/^\[firebreak\] edge: recovered after .*, everything is as requested$/);
    expect(more).to.deep.equal([]);
  });

  it('is repaired by a run that finds the packets stopped, and the mail says so', async () => {
    tell(shadowed);
    await launcher.firebreak(alarm);
    tell(decides);
    expect((await launcher.firebreak([...alarm, '--recheck'])).exit).to.equal(0);
    expect(findMails()).to.have.length(2);
    expect(findMails()[1]).to.include('recovered');
  });

  it('is "disabled", with exit 5 and a retry, where pf is', async () => {
    await edge.run('sbin/pfctl', ['-d']);
    const { exit, answer } = await launcher.json(alarm);
    expect(exit).to.equal(5);
    expect(answer.blocks[0]).to.include({ state: 'pending', proof: 'disabled', warning: null });
    await edge.run('sbin/pfctl', ['-e']);
    await launcher.firebreak(['retry', '--all']);
    expect((await launcher.json(alarm)).answer.blocks[0]).to.include({ proof: 'decides' });
  });
});
