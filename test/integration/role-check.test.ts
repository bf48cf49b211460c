import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { runPlaybook, type Flow } from '../lab/ansible.js';
import { sample, startFirewall, type Firewall } from '../lab/firewall.js';
import { canMount } from '../lab/namespace.js';
import { packageRoot } from '../lab/package-root.js';

const execute = promisify(execFile);

const flow: Flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', description: 'blocked' };
const other: Flow = { ...flow, port: '443' };
const check = ['--check'];

/** Every file below the firewall's root, with its content and the time of its last change. */
function snapshot(firewall: Firewall): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(firewall.root, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(firewall.root, name);
    const { mtimeMs } = statSync(file);
    // Not ssh's sockets and log, where the modules come and go, and the stand-ins' own code.
    if (/^(ssh|home|lab)\b/.test(name) || !statSync(file).isFile()) continue;
    files.set(name, `${mtimeMs} ${readFileSync(file, 'utf8')}`);
  }
  return files;
}

describe('a dry run of the pfSense role (--check)', function () {
  this.timeout(240_000);
  let firewall: Firewall;

  afterEach(async () => {
    await firewall.stop();
  });

  /** Foretells with --check, then does it: both must tell the same, and only the second may change anything. */
  async function foretell(batch: { present?: readonly Flow[]; absent?: readonly Flow[] }): Promise<boolean> {
    const before = snapshot(firewall);
    const dry = await runPlaybook(firewall, { ...batch, args: check });
    expect(dry.code, dry.text).to.equal(0);
    expect(snapshot(firewall)).to.deep.equal(before);
    const real = await runPlaybook(firewall, batch);
    expect(real.code, real.text).to.equal(0);
    for (const list of ['added', 'present', 'removed', 'absent'] as const) {
      expect(dry.result()[list], list).to.deep.equal(real.result()[list]);
    }
    expect(dry.changed()).to.equal(real.changed());
    // Only what is in force already can be proven without a reload.
    expect(dry.result().proven).to.equal(!dry.changed());
    return real.changed();
  }

  it('changes nothing and foretells what comes: adding, adding again, releasing, releasing again', async () => {
    firewall = await startFirewall();
    expect(await foretell({ present: [flow] })).to.be.true;
    expect(await foretell({ present: [flow] })).to.be.false;
    expect(await foretell({ present: [flow, other], absent: [{ ...flow, port: '80' }] })).to.be.true;
    expect(await foretell({ present: [other], absent: [flow] })).to.be.true;
    expect(await foretell({ absent: [flow] })).to.be.false;
  });

  for (const name of ['empty-filter', 'selfclosed-filter', 'no-filter']) {
    it(`foretells the first rule of all (${name})`, async () => {
      firewall = await startFirewall({ config: sample(name) });
      expect(await foretell({ present: [flow] })).to.be.true;
    });
  }

  it('foretells a reload where a rule stands in the file and pf does not know it', async () => {
    firewall = await startFirewall();
    const unloaded = firewall.readConfig();
    await runPlaybook(firewall, { present: [flow] });
    const loaded = firewall.readConfig();
    firewall.writeConfig(unloaded);
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
    firewall.writeConfig(loaded);
    firewall.dropCache();
    expect(await foretell({ present: [flow] })).to.be.true;
    expect(await foretell({ present: [flow] })).to.be.false;
  });

  it('needs no more than to read the configuration', async function () {
    if (!canMount()) this.skip();
    firewall = await startFirewall({ diskKilobytes: 256 });
    firewall.setFaults({ pfctlFails: true });
    await firewall.setDiskReadOnly(true);
    const dry = await runPlaybook(firewall, { present: [flow], args: check });
    expect(dry.code, dry.text).to.equal(0);
    expect(dry.result().added).to.have.length(1);
    expect(dry.changed()).to.be.true;
  });

  it('finds what a real run would stumble over', async () => {
    firewall = await startFirewall();
    const run = await runPlaybook(firewall, { present: [{ ...flow, interface: 'opt3' }], args: check });
    expect(run.code).to.equal(2);
    expect(run.error()?.code).to.equal('interface_disabled');
    firewall.writeConfig('');
    const empty = await runPlaybook(firewall, { present: [flow], args: check });
    expect(empty.error()?.code).to.equal('config_malformed');
  });

  /** Each of them is well-formed, and the comparison finds nothing wrong with it. */
  const uneditable: Readonly<Record<string, (config: string, tracker: number) => string>> = {
    "pfSense's parser refuses": (config) => config.replace('<type>pass</type>', '<type>pass</type><type>pass</type>'),
    'has the tracker of the flow inside a rule of somebody else': (config, tracker) =>
      config.replace(/<filter>\s*<rule>/, `$&<custom><tracker>${tracker}</tracker></custom>`),
  };
  for (const [title, spoil] of Object.entries(uneditable)) {
    it(`says no with the code of the edit where the file ${title}`, async () => {
      firewall = await startFirewall();
      const [tracker = 0] = (await runPlaybook(firewall, { present: [flow], args: check })).result().added;
      firewall.writeConfig(spoil(firewall.readConfig(), tracker));
      const before = snapshot(firewall);
      const dry = await runPlaybook(firewall, { present: [flow], args: check });
      expect(snapshot(firewall)).to.deep.equal(before);
      const real = await runPlaybook(firewall, { present: [flow] });
      expect([dry.code, real.code]).to.deep.equal([2, 2]);
      expect(real.error()?.code).to.be.oneOf(['edit_refused', 'edit_conflict']);
      expect(dry.error()?.code).to.equal(real.error()?.code);
    });
  }
});

describe('what the pfSense role prints', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  before(async () => {
    firewall = await startFirewall();
  });
  after(async () => {
    await firewall.stop();
  });

  /** Words of config.xml that nobody but the firewall should see: password hashes, keys, its own descriptions. */
  function secretsOf(text: string): string[] {
    const hidden = [...text.matchAll(/<(bcrypt-hash|crt|prv|pre-shared-key|authorizedkeys|descr)>(.*?)<\/\1>/g)];
    return hidden
      .map(([, , content = '']) => content.replace(/^<!\[CDATA\[|\]\]>$/g, ''))
      .filter((one) => one.length > 8);
  }

  it('is, with --diff, a line a rule, before and when it happens', async () => {
    const diff = async (batch: object, ...args: string[]): Promise<string[]> => {
      const { stdout } = await runPlaybook(firewall, { ...batch, args: ['--diff', ...args] });
      return stdout.split('\n').filter((line) => /^[+-]/.test(line));
    };
    const added = /^\+ block, 203\.0\.113\.7 -> 192\.168\.1\.10 tcp\/22 on wan \(tracker 2\d{9}\)$/;
    const [dry, real] = [await diff({ present: [flow] }, '--check'), await diff({ present: [flow] })];
    expect(real).to.deep.equal(dry);
    expect(real).to.have.length(1);
    expect(real[0]).to.match(added);
    const replaced = await diff({ present: [other], absent: [flow] });
    expect(replaced).to.have.length(2);
    expect(replaced[0]).to.match(/^\+ block, .* tcp\/443 on wan/);
    expect(replaced[1]).to.equal(real[0]?.replace('+', '-'));
    expect(await diff({ present: [other] })).to.deep.equal([]);
  });

  it('holds nothing else of the configuration, however loud it is asked to be', async () => {
    const secrets = secretsOf(firewall.readConfig());
    expect(secrets.length).to.be.above(10);
    const run = await runPlaybook(firewall, { present: [flow], args: ['--diff', '-vvvv'] });
    expect(run.code).to.equal(0);
    const refused = ((): Promise<typeof run> => {
      firewall.setFaults({ refuse: 'next' });
      return runPlaybook(firewall, { present: [{ ...flow, port: '80' }], args: ['--diff', '-vvvv'] });
    })();
    const text = `${run.text}\n${(await refused).text}\n${JSON.stringify(run.events)}`;
    for (const secret of secrets) expect(text.includes(secret), secret.slice(0, 40)).to.be.false;
  });
});

describe('the tags of the pfSense role', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  before(async () => {
    firewall = await startFirewall();
  });
  after(async () => {
    await firewall.stop();
  });

  it('part the look, the edit and the load', async () => {
    const before = firewall.readConfig();
    const look = await runPlaybook(firewall, { present: [flow], args: ['--tags', 'probe'] });
    expect(look.code, look.text).to.equal(0);
    expect(look.changed()).to.be.false;
    expect(look.result()).to.deep.include({ added: [], present: [], proven: false });
    expect(firewall.readConfig()).to.equal(before);

    const edit = await runPlaybook(firewall, { present: [flow], args: ['--tags', 'edit'] });
    expect(edit.code, edit.text).to.equal(0);
    expect(edit.result().added).to.have.length(1);
    expect(edit.result().proven).to.be.false;
    expect(firewall.reloads()).to.equal(0);

    const load = await runPlaybook(firewall, { present: [flow], args: ['--tags', 'load'] });
    expect(load.code, load.text).to.equal(0);
    expect(load.result()).to.deep.include({ added: [], present: edit.result().added, proven: true });
    expect(firewall.reloads()).to.equal(1);
  });
});

describe('the playbooks', function () {
  this.timeout(240_000);
  const folder = path.join(packageRoot, 'playbooks');
  const names = readdirSync(folder).filter((name) => name.endsWith('.yml'));
  const inventory = path.join(packageRoot, 'inventory/firewalls.yml');

  it('pass --syntax-check with the inventory that is shipped', async () => {
    const files = names.map((name) => path.join(folder, name));
    const home = mkdtempSync(path.join(tmpdir(), 'syntax-'));
    const env = { ...process.env, ANSIBLE_LOCAL_TEMP: home, ANSIBLE_HOME: home };
    const { stderr } = await execute('ansible-playbook', ['--syntax-check', '-i', inventory, ...files], { env });
    rmSync(home, { recursive: true });
    expect(stderr).to.equal('');
  });
});
