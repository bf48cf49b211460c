import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type CallOptions, type Launcher } from '../lab/launcher.js';

const nobody = 65534;
const isRoot = process.geteuid?.() === 0;

describe('what somebody else could have written', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let canary: string;

  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    canary = path.join(launcher.folder, 'canary');
  });

  afterEach(() => {
    expect(existsSync(canary), 'it was run').to.equal(false);
    launcher.remove();
  });

  function write(name: string, text: string, mode = 0o600): string {
    const file = path.join(launcher.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }

  const evil = (): string => `#!/bin/sh\ntouch ${canary}\n`;

  async function expectRefused(
    sentence: RegExp,
    args: readonly string[] = [],
    options: CallOptions = {},
  ): Promise<void> {
    const { exit, stderr } = await launcher.firebreak([...args, 'list'], options);
    expect(stderr).to.match(sentence);
    expect(exit).to.equal(2);
  }

  it('is no configuration because it lies in the folder of the caller', async () => {
    const playbook_command = write('evil', evil(), 0o755);
    const config = { state_dir: 'state', firewalls: { edge: { host: '127.0.0.1' } }, ansible: { playbook_command } };
    const folder = path.dirname(write('planted/firebreak.yml', JSON.stringify(config)));
    await expectRefused(/no configuration: \/etc\/firebreak\/firebreak\.yml does not exist/, [], {
      folder,
      env: { FIREBREAK_CONFIG: '' },
    });
  });

  it('is no configuration where others may change it, and the sentence mends it', async () => {
    chmodSync(launcher.configFile, 0o666);
    await expectRefused(
      /firebreak\.yml was not loaded: others can write .*\(mode 0666\); run chmod go-w \/.*firebreak\.yml\n/,
    );
  });

  it('is no configuration where others may change a folder on the way to it', async () => {
    chmodSync(launcher.folder, 0o777);
    await expectRefused(/was not loaded: others can write .* \(mode 0777\); run chmod go-w /);
    chmodSync(launcher.folder, 0o1777); // as in /tmp, where nobody can take ours away
    expect((await launcher.firebreak(['list'])).exit).to.equal(0);
  });

  if (isRoot) {
    it('is no configuration of another user', async () => {
      chownSync(launcher.configFile, nobody, nobody);
      await expectRefused(
        /was not loaded: .*firebreak\.yml belongs to another user \(uid 65534\); run firebreak as that user: sudo -u '#65534' firebreak$/m,
      );
    });

    it('is no link of another user to one', async () => {
      const link = path.join(launcher.folder, 'link.yml');
      symlinkSync(launcher.configFile, link);
      lchownSync(link, nobody, nobody);
      await expectRefused(/the link .*link\.yml belongs to another user/, ['--config', link]);
    });
  }

  for (const [what, key, make] of [
    ['a program', 'ansible.playbook_command', () => ({ ansible: { playbook_command: write('evil', evil(), 0o777) } })],
    ['a list', 'policy.never_block', () => ({ policy: { never_block: [`@${write('spared', '', 0o666)}`] } })],
    [
      'a template',
      'webhook.template',
      () => ({ webhook: { url: 'http://127.0.0.1', template: write('t', '', 0o622) } }),
    ],
    [
      'the state folder',
      'state_dir',
      () => {
        mkdirSync(launcher.stateDir);
        chmodSync(launcher.stateDir, 0o770);
        return {};
      },
    ],
    [
      'a folder',
      'templates_dir',
      () => {
        const folder = path.dirname(write('templates/mail/x', ''));
        chmodSync(folder, 0o777);
        return { templates_dir: folder };
      },
    ],
    [
      'a known_hosts',
      'firewalls.edge.known_hosts_file',
      () => ({
        firewalls: { edge: { host: '127.0.0.1', known_hosts_file: write('known_hosts', '', 0o664) } },
      }),
    ],
    [
      'a key',
      'firewalls.edge.private_key_file',
      () => ({
        firewalls: { edge: { host: '127.0.0.1', private_key_file: write('key', '', 0o644) } },
      }),
    ],
  ] as const) {
    it(`is not used where it is ${what} that the configuration names`, async () => {
      launcher.configure(make());
      await expectRefused(
        new RegExp(`firebreak\\.yml: .*${key.replaceAll('.', '\\.')}.*: others can (write|read) .*; run chmod`),
      );
    });
  }
});

describe('the environment of the caller', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;
  let canary: string;
  let hostile: string;

  before(async () => {
    edge = await startFirewall();
  });

  after(() => edge.stop());

  beforeEach(() => {
    launcher = makeLauncher({ edge: settingsOf(edge) });
    canary = path.join(launcher.folder, 'canary');
    hostile = path.join(launcher.folder, 'hostile');
    mkdirSync(hostile);
  });

  afterEach(() => launcher.remove());

  const plugin = (): string => `open(${JSON.stringify(canary)}, 'w')\n`;

  async function expectUnmoved(options: CallOptions, last: number): Promise<void> {
    const { exit, stderr } = await launcher.firebreak(['block', `203.0.113.${last}`, '192.168.1.10', '22'], options);
    expect(stderr).to.equal('');
    expect(exit).to.equal(0);
    expect((await launcher.firebreak(['doctor'], options)).exit).to.equal(0);
    expect(existsSync(canary)).to.equal(false);
  }

  it('brings no ansible.cfg along, neither by its folder nor by its home nor by a variable', async () => {
    const plugins = path.join(hostile, 'plugins');
    mkdirSync(plugins);
    for (const kind of ['callback', 'vars', 'inventory', 'connection', 'strategy', 'action'])
      writeFileSync(path.join(plugins, `${kind}_evil.py`), plugin());
    copyFileSync(path.join(plugins, 'callback_evil.py'), path.join(plugins, 'ssh.py'));
    const config = `[defaults]\ncallback_plugins=${plugins}\nvars_plugins=${plugins}\nconnection_plugins=${plugins}\n`;
    writeFileSync(path.join(hostile, 'ansible.cfg'), `${config}callbacks_enabled=callback_evil\n`);
    writeFileSync(path.join(hostile, '.ansible.cfg'), config);
    const env = {
      HOME: hostile,
      ANSIBLE_CONFIG: path.join(hostile, 'ansible.cfg'),
      ANSIBLE_CALLBACK_PLUGINS: plugins,
      ANSIBLE_CONNECTION_PLUGINS: plugins,
      ANSIBLE_STRATEGY_PLUGINS: plugins,
      ANSIBLE_SSH_EXECUTABLE: '/bin/false',
      PYTHONPATH: plugins,
    };
    await expectUnmoved({ folder: hostile, env }, 1);
  });

  it('brings no plugins in its home, and no configuration of ssh', async () => {
    for (const kind of ['action', 'callback', 'connection', 'vars', 'filter', 'lookup', 'become']) {
      const folder = path.join(hostile, '.ansible/plugins', kind);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'evil.py'), plugin());
      writeFileSync(path.join(folder, 'ssh.py'), plugin());
    }
    mkdirSync(path.join(hostile, '.ssh'));
    writeFileSync(path.join(hostile, '.ssh/config'), `Host *\n  ProxyCommand touch ${canary}\n`, { mode: 0o600 });
    await expectUnmoved({ env: { HOME: hostile } }, 2);
  });

  it('brings no program by a folder on its PATH that others may write, or that is relative', async () => {
    for (const name of ['ansible-playbook', 'ssh', 'sshpass'])
      writeFileSync(path.join(hostile, name), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    chmodSync(hostile, 0o777);
    const PATH = `.:hostile:${hostile}:${process.env['PATH'] ?? ''}`;
    await expectUnmoved({ folder: launcher.folder, env: { PATH } }, 3);
  });
});
