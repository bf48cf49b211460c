import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { configSchema } from '#firebreak/config/schema.js';
import { exitOf, fail, failWith, ok, warn } from '#firebreak/core/check.js';
import { checkInterfaces } from '#firebreak/doctor/learned.js';
import { checkDisk, checkStateFolder } from '#firebreak/doctor/state.js';
import { checkPlaybooks, checkTemplates } from '#firebreak/doctor/package.js';
import { checkNode, checkSsh, checkSshpass } from '#firebreak/doctor/programs.js';
import { checksToText } from '#firebreak/views/checks.js';
import { checkTimers } from '#firebreak/doctor/timers.js';

describe('a check of the doctor', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'doctor-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('tells a Node that is too old', () => {
    expect(checkNode('20.18.3')).to.deep.include({ state: 'wrong', detail: '20.18.3 is too old' });
    expect(checkNode('20.19.0').state).to.equal('ok');
    expect(checkNode('22.1.0').state).to.equal('ok');
  });

  it('tells a missing ssh, and takes no file that cannot be run', () => {
    writeFileSync(path.join(folder, 'ssh'), '', { mode: 0o600 });
    mkdirSync(path.join(folder, 'more/ssh'), { recursive: true });
    expect(checkSsh(`${folder}:${folder}/more`)).to.deep.include({
      state: 'wrong',
      fix: 'apt-get install openssh-client',
    });
  });

  it('names the right interface where the configuration contradicts the firewall', () => {
    const edge = (interfaces: object) =>
      configSchema.parse({ firewalls: { edge: { host: '192.0.2.1', interfaces } } }).firewalls['edge']!;
    const learned = [
      { interface: 'lan', network: '192.168.1.0/24' },
      { interface: 'opt1', network: '192.168.50.0/24' },
      { interface: 'wan', network: '198.51.100.0/29' },
    ];
    expect(checkInterfaces('edge', edge({ lan: ['192.168.0.0/16'] }), learned)).to.deep.equal([
      warn(
        'interfaces',
        '192.168.50.0/24 is behind opt1, and firewalls.edge.interfaces leads to lan',
        'add 192.168.50.0/24 to firewalls.edge.interfaces.opt1',
      ),
    ]);
    const [both] = checkInterfaces('edge', edge({ wan: ['0.0.0.0/0'] }), learned);
    expect(both?.detail).to.equal(
      '192.168.1.0/24 is behind lan, and firewalls.edge.interfaces leads to wan (and 1 more)',
    );
    for (const interfaces of [
      {},
      { lan: ['192.168.1.0/24'], opt1: ['192.168.50.0/24'] },
      { Inside: ['192.168.0.0/16'] }, // a group, perhaps of both
    ]) {
      expect(checkInterfaces('edge', edge(interfaces), learned)).to.deep.equal([]);
    }
  });

  describe('for sshpass', () => {
    const config = (edge: object) => configSchema.parse({ firewalls: { edge: { host: '192.0.2.1', ...edge } } });
    const password = config({ password_file: '/etc/firebreak/password' });

    it('says nothing against a key, nor against an Ansible that does without', () => {
      expect(checkSshpass(config({}), '2.14.18', folder).state).to.equal('ok');
      expect(checkSshpass(password, '2.19.0', folder).state).to.equal('ok');
    });

    it('tells that it is missing where an older Ansible needs it', () => {
      const check = checkSshpass(password, '2.14.18', folder);
      expect(check.state).to.equal('wrong');
      expect(check.detail).to.equal('not installed, but edge has a password_file');
    });
  });

  it('tells a state folder of another account', () => {
    const check = checkStateFolder(folder, (process.getuid?.() ?? 0) + 1);
    expect(check.state).to.equal('wrong');
    expect(check.detail).to.match(/belongs to user \d+, but you are user \d+/);
  });

  it('tells a disk with too little room', () => {
    expect(checkDisk(folder).state).to.equal('ok');
    expect(checkDisk(`${folder}/not/yet`, 2 ** 60)).to.deep.include({ state: 'wrong' });
  });

  it('tells a template that does not parse', () => {
    mkdirSync(path.join(folder, 'templates'));
    const file = path.join(folder, 'templates/mail.hbs');
    writeFileSync(file, '{{#if x}}never ended');
    const check = checkTemplates(undefined, folder);
    expect(check.state).to.equal('wrong');
    expect(check.detail).to.match(/templates\/mail\.hbs: Parse error on line 1/);
  });

  it('only notes one of the operator that does not parse: ours is used', () => {
    mkdirSync(path.join(folder, 'mail'));
    expect(checkTemplates(folder)).to.include({ state: 'ok' });
    writeFileSync(path.join(folder, 'mail/failure.txt.hbs'), '{{#if x}}never ended');
    expect(checkTemplates(folder)).to.include({ state: 'note' });
    expect(checkTemplates(folder).detail).to.match(/mail\/failure\.txt\.hbs: Parse error on line 1/);
  });

  it('tells a playbook that does not parse, in the words of Ansible', async () => {
    mkdirSync(path.join(folder, 'playbooks'));
    writeFileSync(path.join(folder, 'playbooks/block.yml'), 'exit 4\n');
    const ansible = path.join(folder, 'ansible-playbook');
    writeFileSync(ansible, '#!/bin/sh\necho "ERROR! a playbook must be a list of plays" >&2\nexit 4\n', {
      mode: 0o700,
    });
    const check = await checkPlaybooks(ansible, {}, folder);
    expect(check).to.deep.include({ state: 'wrong', detail: 'ERROR! a playbook must be a list of plays' });
  });

  describe('for the timer', () => {
    it('notes that nothing runs expire', () => {
      expect(checkTimers(folder).state).to.equal('note');
    });

    it('finds a line of cron, and does not take a comment for one', () => {
      mkdirSync(path.join(folder, 'etc/cron.d'), { recursive: true });
      const file = path.join(folder, 'etc/cron.d/firebreak');
      writeFileSync(file, '# * * * * * siem firebreak expire\n');
      expect(checkTimers(folder).state).to.equal('note');
      writeFileSync(file, '* * * * * siem firebreak expire 2>&1 | logger\n');
      expect(checkTimers(folder)).to.deep.include({ state: 'ok', detail: `${file} runs firebreak expire` });
    });

    it('finds an enabled timer of systemd', () => {
      const wants = path.join(folder, 'etc/systemd/system/timers.target.wants');
      mkdirSync(wants, { recursive: true });
      writeFileSync(path.join(wants, 'firebreak-expire.timer'), '');
      expect(checkTimers(folder).detail).to.match(/^systemd is not running here/);
      mkdirSync(path.join(folder, 'run/systemd/system'), { recursive: true });
      expect(checkTimers(folder).state).to.equal('ok');
    });
  });
});

describe("the doctor's answer", () => {
  const sections = [
    { title: 'this host', checks: [ok('Node', '20.19.2'), warn('timer', 'none', 'add one')] },
    { title: 'firewall edge', checks: [failWith(4)('login', 'refused', 'check the key'), fail('disk', 'full', null)] },
  ];

  it('has the exit code of the first mistake, and a note is none', () => {
    expect(exitOf(sections)).to.equal(4);
    expect(exitOf(sections.slice(0, 1))).to.equal(0);
  });

  it('has no colour unless it is asked for, and ends with what to do', () => {
    expect(checksToText(sections, false)).to.equal(
      [
        'this host',
        '  ✓ Node   20.19.2',
        '  ! timer  none',
        '           -> add one',
        '',
        'firewall edge',
        '  ✗ login  refused',
        '           -> check the key',
        '  ✗ disk   full',
        '',
        '2 problems found: fix the first one and run doctor again.',
      ].join('\n'),
    );
    expect(checksToText(sections, true)).to.include('\u001b[31m✗\u001b[0m login');
  });
});
