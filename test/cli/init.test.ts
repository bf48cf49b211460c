import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { listTree, makeLauncher, program, type Launcher } from '../lab/launcher.js';

const run = promisify(execFile);

describe('firebreak init', function () {
  this.timeout(60_000);
  let launcher: Launcher;
  let folder: string;
  let config: string;
  let words: string[];

  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1' } });
    folder = path.join(launcher.folder, 'etc');
    config = path.join(folder, 'firebreak.yml');
    words = ['init', '--config', config, '--host', '192.0.2.1', '--state-dir', path.join(launcher.folder, 'ledger')];
  });

  afterEach(() => launcher.remove());

  const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

  it('writes a configuration that is valid, for its owner alone, with an inventory and a state folder', async () => {
    const { exit, stdout, stderr } = await launcher.firebreak([...words, '--mail-to', 'soc@example.org']);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    expect(stdout).to.match(/1\. record its host key.*\n +ssh-keyscan -p 22 192\.0\.2\.1 >>\S+\/known_hosts\n/);
    expect(modeOf(config)).to.equal('600');
    expect(modeOf(path.join(launcher.folder, 'ledger'))).to.equal('700');
    expect(readdirSync(folder).sort()).to.deep.equal(['firebreak.yml', 'inventory.yml', 'known_hosts']);
    const text = readFileSync(config, 'utf8');
    const schema = /^# yaml-language-server: \$schema=(.*)\n/.exec(text)?.[1] ?? '';
    expect(existsSync(schema)).to.equal(true);
    const { stdout: inForce } = await launcher.firebreak(['config', '--json', '--config', config]);
    const read = JSON.parse(inForce) as { firewalls: object; mail: object }; // config --json
    expect(read.firewalls).to.have.nested.property('edge.host', '192.0.2.1');
    expect(read.mail).to.deep.include({ to: ['soc@example.org'] });
  });

  it('keeps the ledger of a configuration elsewhere beside it', async () => {
    await launcher.firebreak(words.slice(0, -2));
    expect(readFileSync(config, 'utf8')).to.include(`state_dir: "${folder}/state"`);
    expect(modeOf(path.join(folder, 'state'))).to.equal('700');
  });

  it('writes an inventory that Ansible reads', async () => {
    await launcher.firebreak(words);
    const inventory = path.join(folder, 'inventory.yml');
    const env = { ...process.env, ANSIBLE_HOME: launcher.home, ANSIBLE_LOCAL_TEMP: launcher.home };
    const { stdout } = await run('ansible-inventory', ['-i', inventory, '--host', 'edge'], { env });
    expect(JSON.parse(stdout)).to.include({ ansible_host: '192.0.2.1', ansible_user: 'root', ansible_port: 22 });
  });

  it('makes a key pair if it is wanted, and shows the public half', async () => {
    const { stdout } = await launcher.firebreak([...words, '--key', '--name', 'gate']);
    const key = path.join(folder, 'keys/gate');
    expect(modeOf(key)).to.equal('600');
    expect(stdout).to.include(readFileSync(`${key}.pub`, 'utf8').trim());
    expect(readFileSync(config, 'utf8')).to.include(`private_key_file: "${key}"`);
  });

  it('overwrites nothing, and says what is there', async () => {
    await launcher.firebreak(words);
    const before = listTree(folder);
    const again = await launcher.firebreak([...words, '--key']);
    expect(again.exit).to.equal(2);
    expect(again.stderr).to.include('does not overwrite').and.include(config);
    rmSync(config);
    expect((await launcher.firebreak(words)).stderr).to.include('inventory.yml');
    expect(listTree(folder)).to.deep.equal(before.filter((entry) => !entry.startsWith(`${config}: `)));
  });

  for (const [told, more] of [
    ['host', ['--host', 'a b']],
    ['firewalls.edge.user', ['--user', '$(id)']],
    ['port', ['--port', '70000']],
  ] as const) {
    it(`writes nothing where ${told} is wrong`, async () => {
      const valid = words.filter((word) => more[0] !== '--host' || !['--host', '192.0.2.1'].includes(word));
      const { exit, stderr } = await launcher.firebreak([...valid, ...more]);
      expect(exit).to.equal(2);
      expect(stderr).to.include(told);
      expect(existsSync(folder)).to.equal(false);
    });
  }

  it('says that it must know the host, where nobody can be asked', async () => {
    const { exit, stderr } = await launcher.firebreak(['init', '--config', config]);
    expect({ exit, stderr }).to.deep.equal({
      exit: 2,
      stderr: 'firebreak: host: the address of the firewall is missing; give --host ADDRESS\n',
    });
  });

  it('asks on a terminal', async () => {
    const call = `${process.execPath} ${program} init --config ${config} --state-dir ${launcher.folder}/ledger`;
    const script = `printf '192.0.2.9\\n\\nadmin\\n\\n\\nno\\n' | script --quiet --return --command '${call}' /dev/null`;
    await run('sh', ['-c', script], { env: { ...process.env, HOME: launcher.home } });
    const text = readFileSync(config, 'utf8');
    expect(text).to.include('host: "192.0.2.9"').and.include('user: "admin"').and.include('port: 22');
  });
});
