import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Flow } from '#firebreak/core/flow.js';
import { openSqliteLedger } from '#firebreak/ledger/sqlite.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Answer, type Launcher } from '../lab/launcher.js';

const spared = ['198.51.100.3', '192.168.1.10', '22'];

describe('the safety policy', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, { policy: { never_block: ['@spared.txt'] } });
    writeFileSync(path.join(launcher.folder, 'spared.txt'), '198.51.100.0/28\n');
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  it('refuses an operator as well, and the caller of an SSH session', async () => {
    const { exit, answer } = await launcher.json(['block', ...spared]);
    expect(exit).to.equal(3);
    expect(answer.blocks[0]?.reason).to.match(/^refused: 198\.51\.100\.3 is protected by policy\.never_block/);
    const env = { SSH_CLIENT: '203.0.113.77 50000 22' };
    const called = await launcher.json(['block', '203.0.113.77', '192.168.1.10', '22'], { env });
    expect(called.exit).to.equal(3);
    expect(called.answer.blocks[0]?.reason).to.equal(
      'refused: 203.0.113.77 is the SSH client that calls us (protected always)',
    );
  });

  it('is asked again just before a run: what it refuses by then does not stand on the firewall', async () => {
    mkdirSync(launcher.stateDir, { recursive: true });
    const ledger = openSqliteLedger(path.join(launcher.stateDir, 'ledger.db'));
    const flow: Flow = {
      ...({ type: 'block', interface: 'wan', ipprotocol: 'inet', protocol: 'tcp' } as const),
      ...{ source: '198.51.100.4', destination: '192.168.1.10', port: '22' },
    };
    const block = { firewall: 'edge', flow, description: 'kept before', durationMs: null };
    try {
      await ledger.keep([{ id: 'A1', origin: 'a test', context: {}, blocks: [block] }], { recheckMs: 0 });
    } finally {
      ledger.close();
    }
    const { exit, stdout } = await launcher.firebreak(['drain']);
    expect(stdout).to.match(/NOT blocked 198\.51\.100\.4 .*: refused: 198\.51\.100\.4 is protected by policy/);
    expect(exit).to.equal(3);
    expect((await edge.loadedRules()).join()).to.not.include('198.51.100.4');
  });

  it('is overridden by a reason, which is recorded, and is not asked again before the run', async () => {
    const silent = await launcher.jsonError(['block', ...spared, '--override-policy', '$()']);
    expect(silent.answer.error).to.include({ code: 'usage', exit: 2 });
    const { exit, answer } = await launcher.json(['block', ...spared, '--override-policy', 'the boss $(said) so']);
    expect(exit).to.equal(0);
    expect((await edge.loadedRules()).join()).to.include('from 198.51.100.3 to');
    const { stdout } = await launcher.firebreak(['show', answer.blocks[0]!.id]);
    expect(stdout).to.match(/policy +overridden by an operator: the boss said so/);
  });

  it('is told by firebreak check, with what stands', async () => {
    const no = await launcher.firebreak(['check', '198.51.100.3']);
    expect(no.exit).to.equal(3);
    expect(no.stdout).to.match(
      /^refused: 198\.51\.100\.3 is protected by policy\.never_block \(198\.51\.100\.0\/28 in /,
    );
    expect(no.stdout).to.match(/\nactive +198\.51\.100\.3 /);
    const yes = await launcher.firebreak(['check', '203.0.113.9', '--json']);
    expect(yes.exit).to.equal(0);
    const told = JSON.parse(yes.stdout) as { allowed: boolean; blocks: Answer['blocks'] };
    expect(told).to.deep.include({ allowed: true, reason: null, blocks: [] });
    expect((await launcher.firebreak(['check', '203.0.113.0/24'])).stdout).to.match(/wider than policy\.widest/);
    expect((await launcher.firebreak(['check', 'evil.example'])).exit).to.equal(2);
  });
});
