import { execFile } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { makeLauncher, type Launcher } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];
const edge = { host: '127.0.0.1', port: 9 };

describe('firebreak with a bad configuration', () => {
  let launcher: Launcher;

  beforeEach(() => {
    launcher = makeLauncher({ edge });
  });

  afterEach(() => launcher.remove());

  /** Exit 2, one document with this code and these sentences; and for a person the same, with nothing on stdout. */
  async function expectRefused(args: readonly string[], code: string, sentences: readonly string[]): Promise<void> {
    const { exit, answer } = await launcher.jsonError(args, { env: { PATH: '/nowhere' } });
    expect(exit).to.equal(2);
    expect(answer).to.deep.equal({ error: { code, message: sentences.join('\n'), exit: 2 } });
    const person = await launcher.firebreak(args);
    expect(person).to.deep.equal({
      exit: 2,
      stdout: '',
      stderr: sentences.map((each) => `firebreak: ${each}\n`).join(''),
    });
    expect(launcher.runs()).to.deep.equal([]);
  }

  it('says that the named file is not there, and who named it', async () => {
    await expectRefused([...alarm, '--config', '/nowhere/f.yml'], 'config_missing', [
      '/nowhere/f.yml: no such file (given by --config); correct the path, or create it with firebreak init',
    ]);
  });

  it('says where it looked when none was named', async () => {
    const { exit, stderr } = await launcher.firebreak(alarm, { env: { FIREBREAK_CONFIG: '' }, folder: launcher.home });
    expect(exit).to.equal(2);
    expect(stderr).to.equal(
      'firebreak: no configuration: /etc/firebreak/firebreak.yml does not exist; name a file with --config FILE or $FIREBREAK_CONFIG, or create one with firebreak init\n',
    );
  });

  it('says why the file cannot be read', async () => {
    const folder = path.join(launcher.folder, 'folder.yml');
    mkdirSync(folder);
    await expectRefused([...alarm, '--config', folder], 'config_unreadable', [
      `${folder}: is a folder; it must be a file that this account may read`,
    ]);
  });

  it('tells all of three problems at once, each with its line and path', async () => {
    writeFileSync(
      launcher.configFile,
      'firewalls:\n  edge:\n    host: 127.0.0.1\n    port: ssh\n    hots: x\npolicy:\n  never_block: [192.0.2.0/28, 10.0.0.300]\n',
    );
    await expectRefused(alarm, 'config_invalid', [
      'firebreak.yml: line 4, column 11: firewalls.edge.port: expected 1-65535, got "ssh"',
      'firebreak.yml: line 5, column 11: firewalls.edge.hots: unknown key',
      'firebreak.yml: line 7, column 31: policy.never_block.1: expected an IPv4 or IPv6 address, got "10.0.0.300"',
    ]);
  });

  it('refuses a secret that stands in the configuration, and says that others could read it', async () => {
    launcher.configure({ firewalls: { edge: { ...edge, vars: { ansible_password: 'canary' } } } });
    chmodSync(launcher.configFile, 0o644);
    await expectRefused(alarm, 'config_exposed', [
      'firebreak.yml: line 8, column 29: firewalls.edge.vars.ansible_password: a secret belongs in a file with mode 0600, named by password_file or become_password_file; change the secret, because others can read this file (mode 0644)',
    ]);
  });

  it('refuses a secret file that others can read, and names the command that fixes it', async () => {
    const file = path.join(launcher.folder, 'password');
    writeFileSync(file, 'canary\n', { mode: 0o644 });
    chmodSync(file, 0o644);
    launcher.configure({ firewalls: { edge: { ...edge, password_file: file } } });
    await expectRefused(alarm, 'config_invalid', [
      `firebreak.yml: line 7, column 24: firewalls.edge.password_file: others can read ${file} (mode 0644); run chmod 600 ${file}`,
    ]);
  });

  it('refuses a secret file of another user, and names the command that fixes it', async function () {
    if (process.geteuid?.() !== 0) this.skip(); // nobody else may give a file away
    const file = path.join(launcher.folder, 'password');
    writeFileSync(file, 'canary\n', { mode: 0o600 });
    chownSync(file, 65_534, 65_534);
    launcher.configure({ firewalls: { edge: { ...edge, password_file: file } } });
    await expectRefused(alarm, 'config_invalid', [
      `firebreak.yml: line 7, column 24: firewalls.edge.password_file: ${file} belongs to another user (uid 65534); run chown 0 ${file}`,
    ]);
  });

  it('says where the YAML breaks off', async () => {
    writeFileSync(launcher.configFile, 'firewalls:\n  edge: {host: 127.0.0.1\n');
    const { exit, answer } = await launcher.jsonError(alarm);
    expect(exit).to.equal(2);
    expect(answer.error.message).to.match(/^firebreak\.yml: .* line [23], column \d+/);
  });

  it('says that nothing can be kept where state_dir cannot be written', async () => {
    launcher.configure({ state_dir: path.join(launcher.configFile, 'state') });
    const { exit, stderr } = await launcher.firebreak(alarm);
    expect(exit).to.equal(2);
    expect(stderr).to.match(
      /^firebreak: NOT recorded: \S+\/firebreak\.yml\/state\S* .*\(not a folder\); run firebreak doctor to check its folder and disk\n/,
    );
  });
});

describe('firebreak config', () => {
  let launcher: Launcher;

  beforeEach(() => {
    launcher = makeLauncher({ edge });
  });

  afterEach(() => launcher.remove());

  it('prints what is in force, defaults filled in and paths resolved, below the name of its file', async () => {
    launcher.configure({ log: { file: './firebreak.log' } });
    const { exit, stdout, stderr } = await launcher.firebreak(['config']);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    expect(stdout).to.match(/^# \S+\/firebreak\.yml\n/);
    expect(stdout).to.include(`file: ${launcher.folder}/firebreak.log`).and.include('platform: pfsense');
  });

  it('prints one document with --json, and a closed stdout does not make it fail loudly', async () => {
    const { exit, stdout } = await launcher.firebreak(['config', '--json']);
    expect(exit).to.equal(0);
    expect(JSON.parse(stdout)).to.include({ state_dir: launcher.stateDir });
    const call = launcher.start(['config']);
    call.child.stdout?.destroy();
    expect(await call.ended).to.deep.equal({ exit: 0, stdout: '', stderr: '' });
  });

  it('says what a key means, a name of your own in its place, without a configuration', async () => {
    const options = { env: { FIREBREAK_CONFIG: '/nowhere/firebreak.yml' } };
    const { exit, stdout } = await launcher.firebreak(['config', '--explain', 'firewalls.edge.port'], options);
    expect({ exit, stdout }).to.deep.equal({ exit: 0, stdout: 'firewalls.NAME.port (default: 22)\n  SSH port.\n' });
  });

  it('explains keys in an installation without the documents, as the Debian package lays it out', async () => {
    for (const part of ['dist', 'package.json'])
      cpSync(path.join(packageRoot, part), path.join(launcher.folder, 'installed', part), { recursive: true });
    mkdirSync(path.join(launcher.folder, 'installed/playbooks'));
    const program = path.join(launcher.folder, 'installed/dist/cli.js');
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'config', '--explain', 'mail.port']);
    expect(stdout).to.equal('mail.port (default: 25)\n  SMTP port.\n');
  });

  it('prints what can be read again', async () => {
    writeFileSync(path.join(launcher.folder, 'list.txt'), '203.0.113.64/28\n', { mode: 0o600 });
    launcher.configure({
      policy: { never_block: [`@${launcher.folder}/list.txt`, '192.0.2.10-192.0.2.20'], longest: 'forever' },
      dispatch: { give_up: '90m' },
    });
    const { stdout: first } = await launcher.firebreak(['config']);
    expect(first).to.include('longest: forever').and.include('give_up: 90m');
    expect(first).to.include('/list.txt"').and.include('- 192.0.2.10-192.0.2.20');
    writeFileSync(launcher.configFile, first, { mode: 0o600 });
    expect((await launcher.firebreak(['config'])).stdout).to.equal(first);
  });

  it('says what all keys below one mean', async () => {
    const { stdout } = await launcher.firebreak(['config', '--explain', 'policy.limits', '--json']);
    const { keys } = JSON.parse(stdout) as { keys: { key: string }[] }; // config --explain --json
    expect(keys.map(({ key }) => key)).to.include.members(['policy.limits.per_minute', 'policy.limits.hold_for']);
  });

  it('names the key that may have been meant', async () => {
    const { exit, stderr } = await launcher.firebreak(['config', '--explain', 'limits.per_minute']);
    expect(exit).to.equal(2);
    expect(stderr).to.equal('firebreak: explain: unknown key "limits.per_minute"; use policy.limits.per_minute\n');
  });
});
