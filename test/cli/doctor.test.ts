import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { SMTPServer } from 'smtp-server';
import type { AddressInfo } from 'node:net';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { listTree, makeLauncher, settingsOf, type CallOptions, type Launcher } from '../lab/launcher.js';

interface Look {
  readonly name: string;
  readonly state: string;
  readonly fact: string;
  readonly mend: string | null;
}

/** `doctor --json`. */
interface Diagnosis {
  readonly ok: boolean;
  readonly exit: number;
  readonly sections: readonly { readonly title: string; readonly checks: readonly Look[] }[];
}

async function askDoctor(launcher: Launcher, args: readonly string[] = [], options: CallOptions = {}) {
  const { exit, stdout } = await launcher.firebreak(['doctor', '--json', ...args], options);
  const diagnosis = JSON.parse(stdout) as Diagnosis; // its own test looks at the whole
  const checks = diagnosis.sections.flatMap((section) => section.checks);
  return { exit, diagnosis, checks, wrong: checks.filter(({ state }) => state === 'wrong') };
}

describe('firebreak doctor, of this host,', function () {
  this.timeout(120_000);
  let launcher: Launcher;

  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    // No playbook is run here; starting Ansible for each mistake would take the better part of a minute.
    launcher.configure({ ansible: { playbook_command: writeAnsible('2.18.1') } });
  });

  function writeAnsible(version: string): string {
    const file = path.join(launcher.folder, `ansible-${version}`);
    writeFileSync(file, `#!/bin/sh\necho "ansible-playbook [core ${version}]"\n`, { mode: 0o700 });
    return file;
  }

  afterEach(() => launcher.remove());

  /** The first mistake is this one, with this exit code. */
  async function expectFirst(name: string, fact: RegExp, mend: RegExp, options: CallOptions = {}): Promise<void> {
    const { exit, wrong } = await askDoctor(launcher, [], options);
    expect(wrong[0]?.name).to.equal(name);
    expect(wrong[0]?.fact).to.match(fact);
    expect(wrong[0]?.mend).to.match(mend);
    expect(exit).to.equal(2);
  }

  it('names an ansible-playbook that is not there', async () => {
    launcher.configure({ ansible: { playbook_command: '/nowhere/ansible-playbook' } });
    await expectFirst(
      'ansible-playbook',
      /\/nowhere\/ansible-playbook: no such program/,
      /apt-get install ansible-core/,
    );
  });

  it('names an ansible-playbook that is too old', async () => {
    launcher.configure({ ansible: { playbook_command: writeAnsible('2.9.27') } });
    await expectFirst('ansible-playbook', /is 2\.9: firebreak needs ansible-core 2\.14/, /newer ansible-core/);
  });

  it('names what is wrong with the configuration, and ends there', async () => {
    launcher.configure({ firewalls: { edge: { host: '127.0.0.1', port: 'ssh' } } });
    await expectFirst('config', /firewalls\.edge\.port: expected 1-65535, got "ssh"/, /docs\/configuration\.md/);
  });

  it('names a configuration that is not there', async () => {
    const options = { env: { FIREBREAK_CONFIG: '/nowhere/firebreak.yml' } };
    await expectFirst('config', /no such file/, /firebreak init/, options);
  });

  it('names a configuration that others may change', async () => {
    chmodSync(launcher.configFile, 0o666);
    await expectFirst(
      'config',
      /was not loaded: others can write .*mode 0666\); run chmod go-w /,
      /run the command in the message/,
    );
  });

  it('names a state folder that others may look into', async () => {
    mkdirSync(launcher.stateDir);
    chmodSync(launcher.stateDir, 0o755);
    await expectFirst('state_dir', /others can access/, /^chmod 700 /);
  });

  it('names a damaged ledger, and leaves it as it is', async () => {
    mkdirSync(launcher.stateDir, { mode: 0o700 });
    const file = path.join(launcher.stateDir, 'ledger.db');
    writeFileSync(file, 'no database '.repeat(1000));
    await expectFirst('ledger', /the ledger is damaged/, /reconcile --fix/);
    expect(readFileSync(file, 'utf8')).to.match(/^no database /);
  });

  it('names a firewall at which nothing listens, with exit 4', async () => {
    const { exit, checks, wrong } = await askDoctor(launcher);
    expect(exit).to.equal(4);
    expect(wrong.map(({ name, fact }) => `${name}: ${fact}`)).to.deep.equal([
      'TCP: 127.0.0.1:9: nothing listens there',
    ]);
    expect(checks.at(-1)).to.deep.include({ name: 'dry run', state: 'skipped' });
  });

  it('writes nothing anywhere', async () => {
    const before = listTree(launcher.folder);
    await askDoctor(launcher);
    expect(listTree(launcher.folder)).to.deep.equal(before);
    expect(existsSync(launcher.stateDir)).to.equal(false);
  });

  it('takes the login of the mail server without sending, sends with --send, and names a server that is away', async () => {
    let mails = 0;
    let last = '';
    const server = new SMTPServer({
      logger: false,
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('no') ? Object.assign(new Error('no such user'), { responseCode: 550 }) : null),
      onData: (stream, _session, callback) => {
        mails += 1;
        last = '';
        stream.on('data', (part: Buffer) => (last += String(part))).once('end', () => callback());
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo; // it listens on TCP
    launcher.configure({ mail: { host: '127.0.0.1', port, from: 'a@example.org', to: ['b@example.org'] } });
    const findMail = async (args: readonly string[]): Promise<Look | undefined> =>
      (await askDoctor(launcher, args)).checks.find(({ name }) => name === 'SMTP');
    expect(await findMail([])).to.deep.include({ state: 'ok', fact: `127.0.0.1:${port} answers` });
    expect(mails).to.equal(0);
    expect((await findMail(['--send']))?.fact).to.match(/accepted a test mail to b@example\.org/);
    expect(mails).to.equal(1);
    expect(last)
      .to.match(/Content-Type: text\/html/)
      .and.include('Test mail: nothing is wrong');

    launcher.configure({ mail: { host: '127.0.0.1', port, from: 'a@example.org', to: ['no@example.org'] } });
    expect((await findMail(['--send']))?.fact).to.include('does not accept mail to no@example.org: 550 no such user');
    launcher.configure({ mail: { host: '127.0.0.1', port, from: 'a@example.org', to: ['b@example.org'] } });

    mkdirSync(path.join(launcher.folder, 'templates/mail'), { recursive: true });
    writeFileSync(path.join(launcher.folder, 'templates/mail/layout.html.hbs'), '{{nothing}}');
    launcher.configure({ templates_dir: 'templates' });
    const look = await findMail(['--send']);
    expect(look).to.include({ state: 'note' });
    expect(look?.fact).to.match(/a test mail was sent, but templates in .* were not used: "nothing" not defined/);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(await findMail([])).to.deep.include({ state: 'wrong' });
  });
});

describe('firebreak doctor, of a firewall,', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
  });

  after(() => edge.stop());

  beforeEach(() => {
    launcher = makeLauncher({ edge: settingsOf(edge) }, { ansible: { warm: 0 } });
  });

  afterEach(() => launcher.remove());

  /** The one mistake of the firewall; what stands on it is skipped, and so is the dry run. */
  async function expectOnly(name: string, fact: RegExp, exit = 5): Promise<readonly Look[]> {
    const found = await askDoctor(launcher);
    expect(found.wrong.map((each) => each.name)).to.deep.equal([name]);
    expect(found.wrong[0]?.fact).to.match(fact);
    expect(found.exit).to.equal(exit);
    if (name !== 'dry run') expect(found.checks.at(-1)).to.deep.include({ name: 'dry run', state: 'skipped' });
    return found.checks;
  }

  const withVars = (vars: object, more: object = {}): void =>
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), vars: { ...edge.vars, ...vars }, ...more } } });

  it('ticks all that is well, changes nothing there, and exits with 0', async () => {
    const before = edge.readConfig();
    const { exit, stdout } = await launcher.firebreak(['doctor']);
    expect(stdout).to.match(/✓ dry run +block 203\.0\.113\.253 .* on wan succeeded\n\nAll checks passed\.\n$/);
    expect(stdout).not.to.include('✗').and.not.to.include('\u001b');
    for (const name of [
      'Node',
      'ansible-playbook',
      'ssh',
      'ledger',
      'playbooks',
      'host key',
      'login',
      'Python',
      'user',
    ])
      expect(stdout).to.match(new RegExp(`✓ ${name} `));
    expect(exit).to.equal(0);
    expect(edge.readConfig()).to.equal(before);
    expect(edge.reloads()).to.equal(0);
  });

  it('names a host key that is not recorded, with exit 4', async () => {
    const empty = path.join(launcher.folder, 'known_hosts');
    writeFileSync(empty, '');
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), known_hosts_file: empty } } });
    await expectOnly('host key', /its host key is not known/, 4);
  });

  it('names a login that is refused, with exit 4', async () => {
    const key = path.join(launcher.folder, 'key');
    writeFileSync(key, 'no key\n', { mode: 0o600 });
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), private_key_file: key } } });
    await expectOnly('login', /it refuses the login/, 4);
  });

  it('names a Python that is not where it should be', async () => {
    withVars({ ansible_python_interpreter: '/nowhere/python3' });
    await expectOnly('Python', /not found at \/nowhere\/python3/);
  });

  it('names a user that the login cannot become', async () => {
    withVars({ ansible_become_exe: '/nowhere/sudo' }, { become: true, become_user: 'daemon' });
    await expectOnly('user', /cannot act as daemon: .*\/nowhere\/sudo/);
  });

  it('names a configuration that is not there', async () => {
    withVars({ pfsense_config: '/nowhere/config.xml' });
    await expectOnly('config.xml', /there is no \/nowhere\/config\.xml/);
  });

  it('names a configuration that breaks off within its filter', async () => {
    const file = path.join(launcher.folder, 'config.xml');
    const text = edge.readConfig();
    writeFileSync(file, text.slice(0, text.lastIndexOf('</filter>')));
    withVars({ pfsense_config: file });
    await expectOnly('config.xml', /config\.xml is not well-formed XML: line \d+, column \d+/);
  });

  it('names a pfctl that does not answer', async () => {
    edge.setFaults({ pfctlFails: true });
    await expectOnly('pfctl', /does not list the loaded rules/);
    edge.clearFaults();
  });

  it('names a pf that is disabled', async () => {
    await edge.run('sbin/pfctl', ['-d']);
    await expectOnly('pfctl', /^pf is disabled, so no rule is in force$/);
    await edge.run('sbin/pfctl', ['-e']);
  });

  it('names a reload command that is not there, and notes a clock that is late', async () => {
    const date = path.join(launcher.folder, 'date');
    writeFileSync(date, '#!/bin/sh\nexpr "$(date +%s)" - 3600\n', { mode: 0o700 });
    withVars({ pfsense_reload_command: '/nowhere/reload', pfsense_date: date });
    const checks = await expectOnly('reload', /not on the firewall: \/nowhere\/reload/);
    const clock = checks.find(({ name }) => name === 'clock');
    expect(clock).to.deep.include({ state: 'note' });
    expect(clock?.fact).to.match(/^3[56]\d\d s behind this host's$/);
  });

  it('names an interface that the firewall does not have, by the dry run', async () => {
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), interfaces: { opt9: ['0.0.0.0/0'] } } } });
    await expectOnly('dry run', /opt9/);
  });
});
