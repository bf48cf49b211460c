import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Flow } from '#firebreak/core/flow.js';
import { openLedger } from '#firebreak/ledger/index.js';
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
      'refused: 203.0.113.77 is the SSH client of this session (protected always)',
    );
  });

  it('is asked again just before a run: what it refuses by then does not stand on the firewall', async () => {
    mkdirSync(launcher.stateDir, { recursive: true });
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    const flow: Flow = {
      ...({ type: 'block', interface: 'wan', ipprotocol: 'inet', protocol: 'tcp' } as const),
      ...{ source: '198.51.100.4', destination: '192.168.1.10', port: '22' },
    };
    const block = { firewall: 'edge', flow, description: 'kept before', durationMs: null };
    try {
      await ledger.recordAlarms([{ id: 'A1', origin: 'a test', context: {}, blocks: [block] }], { recheckMs: 0 });
    } finally {
      await ledger.close();
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
    expect(no.stdout).to.match(/\nactive(?: \?)? +198\.51\.100\.3 /);
    const yes = await launcher.firebreak(['check', '203.0.113.9', '--json']);
    expect(yes.exit).to.equal(0);
    const told = JSON.parse(yes.stdout) as { allowed: boolean; blocks: Answer['blocks'] };
    expect(told).to.deep.include({ allowed: true, reason: null, blocks: [] });
    expect((await launcher.firebreak(['check', '203.0.113.0/24'])).stdout).to.match(/wider than policy\.widest/);
    expect((await launcher.firebreak(['check', 'evil.example'])).exit).to.equal(2);
  });
});

describe("the firewall's own addresses", function () {
  this.timeout(180_000);
  let edge: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    // One of the WAN's that a DHCP server gave it stands in no file.
    const lines = [
      'em0: flags=8843<UP>',
      '\tinet 203.0.113.200 netmask 0xffffff00',
      '\tinet6 fe80::1%em0 prefixlen 64',
    ];
    const file = path.join(edge.root, 'sbin/ifconfig');
    writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${lines.join('\n')}\nEND\n`, { mode: 0o755 });
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  const own = ['203.0.113.200', '192.168.20.1', '2001:db8:1::1'];

  it('protect themselves as soon as a run has seen them, by file or by its interfaces', async () => {
    const { exit } = await launcher.json(['block', '203.0.113.7', '192.168.1.10', '22']);
    expect(exit).to.equal(0);
    const before = edge.readConfig();
    for (const address of own) {
      const destination = address.includes(':') ? '2001:db8:9::9' : '192.168.1.10';
      const { exit: refused, answer } = await launcher.json(['block', address, destination, '22']);
      expect(refused).to.equal(3);
      expect(answer.run).to.equal(null);
      expect(answer.blocks[0]?.reason).to.equal(
        `refused: ${address} is an address that firewall edge has (protected always)`,
      );
      const told = await launcher.firebreak(['check', address]);
      expect(told.exit).to.equal(3);
      expect(told.stdout).to.include('is an address that firewall edge has');
    }
    writeFileSync(path.join(launcher.folder, 'list.txt'), `${own[0]}\n`);
    const list = ['import', 'list.txt', '--dst-ip', '192.168.1.10', '--dst-port', '22'];
    expect((await launcher.firebreak(list)).exit).to.equal(3);
    expect(edge.readConfig()).to.equal(before);
  });

  it('may be destinations, but for those in policy.never_block_to', async () => {
    launcher.configure({ firewalls: { edge: settingsOf(edge) }, policy: { never_block_to: ['198.51.100.2'] } });
    expect((await launcher.json(['block', '203.0.113.7', '192.168.20.1', '22'])).exit).to.equal(0);
    expect((await launcher.json(['block', '203.0.113.8', '192.168.20.1', '22'])).exit).to.equal(0);
    const { exit, answer } = await launcher.json(['block', '203.0.113.8', '198.51.100.2', '22']);
    expect(exit).to.equal(3);
    expect(answer.blocks[0]?.reason).to.equal(
      'refused: 198.51.100.2 is protected as a destination by policy.never_block_to (198.51.100.2)',
    );
  });

  it('count on that firewall alone, lapse, and are told where they change', async () => {
    launcher.configure({ firewalls: { edge: settingsOf(edge), inner: { host: '127.0.0.1', port: 9 } } });
    expect((await launcher.json(['block', '203.0.113.7', '192.168.1.10', '22', '--firewall', 'edge'])).exit).to.equal(
      0,
    );
    const words = ['block', '203.0.113.200', '192.168.1.10', '22', '--firewall'];
    expect((await launcher.json([...words, 'edge'])).exit).to.equal(3);
    expect((await launcher.json([...words, 'inner'])).exit).to.equal(4); // not refused, but away
    const ifconfig = path.join(edge.root, 'sbin/ifconfig');
    writeFileSync(ifconfig, "#!/bin/sh\nprintf '\\tinet 203.0.113.99 netmask 0xffffff00\\n'\n", { mode: 0o755 });
    const { stderr } = await launcher.firebreak(['reconcile', '--firewall', 'edge']);
    expect(stderr).to.match(/edge has had different addresses since .*: new 203\.0\.113\.99; gone 203\.0\.113\.200/);
    const { stdout: looked } = await launcher.firebreak(['doctor', '--firewall', 'edge']);
    expect(looked).to.match(/! addresses +edge has had different addresses since/);
    expect((await launcher.json([...words, 'edge'])).exit).to.equal(0);
    const told = await launcher.firebreak(['check', '203.0.113.99']);
    expect(told.exit).to.equal(0);
    expect(told.stdout)
      .to.match(/on edge: refused: .* that firewall edge has/)
      .and.match(/new 203\.0\.113\.99; gone/);
    writeFileSync(ifconfig, "#!/bin/sh\nprintf '\\tinet 203.0.113.98 netmask 0xffffff00\\n'\n", { mode: 0o755 });
    expect((await launcher.firebreak(['expire'])).stderr).to.match(/new 203\.0\.113\.98/);
  });

  it('come with the networks behind its interfaces, by which the next alarm of a source inside is blocked', async () => {
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), interfaces: {} } } });
    const words = ['block', '192.168.20.66', '192.168.1.10'];
    expect((await launcher.json([...words, '22'])).answer.blocks[0]).to.include({ interface: 'wan' });
    for (const args of [['--check'], []]) {
      const { answer } = await launcher.json([...words, '443', ...args]);
      expect(answer.blocks[0]).to.include({ interface: 'opt1' });
    }
    expect((await edge.loadedRules()).join('\n')).to.match(/ on em2 .*from 192\.168\.20\.66 .* port = https/);
    const named = await launcher.json([...words, '80', 'lan']);
    expect(named.answer.blocks[0]).to.include({ interface: 'lan' });
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), interfaces: { lan: ['192.168.0.0/16'] } } } });
    const { stdout } = await launcher.firebreak(['doctor', '--firewall', 'edge']);
    expect(stdout).to.match(/! interfaces +\S+ is behind \w+, and firewalls\.edge\.interfaces leads to \w+/);
  });

  it('are refused by a dry run too, which asks no ledger', async () => {
    const { exit, answer } = await launcher.json(['block', '192.168.20.1', '192.168.1.10', '22', '--check']);
    expect(exit).to.equal(3);
    expect(answer.blocks[0]).to.include({ state: 'refused', changed: false });
  });

  it('are not blocked when the very first run meets one: it is taken back, and refused', async () => {
    const { exit, answer } = await launcher.json(['block', '203.0.113.200', '192.168.1.10', '22']);
    expect(exit).to.equal(3);
    expect(answer.blocks[0]).to.include({ state: 'refused' });
    expect((await edge.loadedRules()).join('\n')).to.not.include('from 203.0.113.200');
    expect(edge.readConfig()).to.not.include(`<tracker>${answer.blocks[0]?.tracker}</tracker>`);
  });

  it('give way to an operator with a reason', async () => {
    const words = ['block', '203.0.113.200', '192.168.1.10', '22', '--override-policy', 'it is a test'];
    expect((await launcher.json([...words, '--check'])).exit).to.equal(0);
    expect((await launcher.json(words)).exit).to.equal(0);
    expect((await edge.loadedRules()).join('\n')).to.include('from 203.0.113.200');
  });
});
