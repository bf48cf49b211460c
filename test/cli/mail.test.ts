import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import type { SMTPServerOptions } from 'smtp-server';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';
import {
  canMakeCertificate,
  mailPassword,
  makeCertificate,
  startMailServer,
  type MailServer,
} from '../lab/mail-server.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];

describe('firebreak block mails a failure', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;
  let server: MailServer | undefined;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
  });

  afterEach(async () => {
    await server?.stop();
    server = undefined;
    launcher.remove();
    await edge.stop();
  });

  async function mailTo(options: SMTPServerOptions, keys: object = {}): Promise<MailServer> {
    server = await startMailServer(options);
    const { port } = server;
    const to = ['soc@example.org', 'noc@example.org'];
    launcher.configure({ mail: { host: '127.0.0.1', port, from: 'firebreak@example.org', to, ...keys } });
    return server;
  }

  const plainServer: SMTPServerOptions = { disabledCommands: ['STARTTLS', 'AUTH'] };

  it('once, to all recipients: what is not blocked, where, why, and the command that retries', async () => {
    const { received } = await mailTo(plainServer);
    edge.setFaults({ refuse: 'next' });
    const { exit, answer } = await launcher.json([...alarm, '--event-id=6a1f0c8e', '--risk=7']);
    expect(exit).to.equal(5);
    await waitUntil('the mail', () => received.length > 0);
    expect(received).to.have.length(1);
    const { mail, from, to } = received[0]!;
    expect({ from, to }).to.deep.equal({ from: 'firebreak@example.org', to: ['soc@example.org', 'noc@example.org'] });
    expect(mail.subject).to.match(/^\[firebreak\] .*edge.*203\.0\.113\.7/);
    const text = mail.text ?? '';
    expect(text).to.include('203.0.113.7 -> 192.168.1.10 tcp/22 on wan').and.include('edge');
    expect(text)
      .to.include('pf refused the rules')
      .and.include(`firebreak retry ${answer.blocks[0]?.id.slice(-6)}`);
    expect(text)
      .to.match(/in the step "Reload the rules/)
      .and.match(/retries automatically at 20\d\d-/);
    expect(text).to.include('event-id 6a1f0c8e, risk 7').and.include(answer.run?.id);
    expect(mail.html).to.include('203.0.113.7 -&gt; 192.168.1.10').and.include('event-id 6a1f0c8e, risk 7');
    expect(mail.attachments).to.deep.equal([]);
    for (const line of text.split('\n')) expect(line.length, line).to.be.below(998);
  });

  it('without any secret of the firewall’s configuration', async () => {
    const { received } = await mailTo(plainServer);
    edge.setFaults({ refuse: 'next' });
    await launcher.firebreak(alarm);
    await waitUntil('the mail', () => received.length > 0);
    const whole = JSON.stringify(received[0]?.mail);
    for (const secret of [
      'bcrypt-hash',
      '<prv>',
      'BEGIN OPENSSH PRIVATE KEY',
      readFileSync(edge.privateKeyFile, 'utf8'),
    ]) {
      expect(whole).to.not.include(secret);
    }
  });

  it('unless the block is in force, refused, or a dry run', async () => {
    const { received } = await mailTo(plainServer);
    expect((await launcher.json(alarm)).exit).to.equal(0);
    expect((await launcher.json(['block', '127.0.0.1', '192.168.1.10', '22'])).exit).to.equal(3);
    await edge.goAway();
    expect((await launcher.json(['block', '203.0.113.8', '192.168.1.10', '22', '--check'])).exit).to.equal(4);
    expect(received).to.deep.equal([]);
  });

  it('of an unreachable firewall once, however many alarms fail, and once when it recovers', async () => {
    const { received } = await mailTo(plainServer);
    const ours = settingsOf(edge);
    launcher.configure({ firewalls: { edge: { ...ours, port: 9 } } }); // nothing listens there
    for (const last of [7, 8]) {
      expect((await launcher.json(['block', `203.0.113.${last}`, '192.168.1.10', '22'])).exit).to.equal(4);
    }
    launcher.configure({ firewalls: { edge: ours } });
    expect((await launcher.json(['retry', '--all'])).exit).to.equal(0);
    await waitUntil('both mails', () => received.length > 1);
    const subjects = received.map(({ mail }) =>
      mail.subject?.replace(/after \d+[smh]/, 'after a while').replace(/\d\d:\d\d$/, 'HH:MM'),
    );
    expect(subjects).to.deep.equal([
      '[firebreak] edge: 1 block NOT in force: 203.0.113.7, unreachable since HH:MM',
      '[firebreak] edge: recovered after a while, everything is as requested',
    ]);
    expect(received[1]?.mail.text).to.match(/unreachable\n {4}from 20\d\d-/);
  });

  it('of 1,000 blocks in one mail with counts and top addresses, in both parts', async () => {
    const { received } = await mailTo(plainServer);
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), port: 9 } } }); // nothing listens there
    const file = path.join(launcher.folder, 'list.csv');
    const rows = Array.from({ length: 1000 }, (_, at) => [
      at < 400 ? '203.0.113.7' : `198.51.100.${at % 250}`,
      at < 700 ? '192.168.1.10' : '192.168.1.11',
      String(1000 + at),
    ]);
    writeFileSync(file, ['ip,destination,port', ...rows.map((row) => row.join(','))].join('\n'));
    for (const words of [
      ['import', file],
      ['retry', '--all'],
    ]) {
      expect((await launcher.firebreak(words)).exit).to.equal(4);
    }
    await waitUntil('the mail', () => received.length > 0);
    expect(received).to.have.length(1);
    const { subject, text = '', html } = received[0]!.mail;
    expect(subject).to.match(/^\[firebreak\] edge: 1000 blocks NOT in force: unreachable since \d\d:\d\d$/);
    expect(text)
      .to.match(/Requested\s+by\s+1000\s+alarms/)
      .and.include('203.0.113.7  400 blocks, 400 alarms');
    expect(text).to.include('192.168.1.10  700 blocks, 700 alarms').and.include('... and 980 more');
    expect(String(html))
      .to.match(/203\.0\.113\.7<\/td><td[^>]*>400</)
      .and.match(/192\.168\.1\.10<\/td><td[^>]*>700</);
    expect(String(html).length).to.be.below(100_000);
  });

  it('with the operator’s templates, or the built-in ones if one is broken, as the log and the mail say', async () => {
    const { received } = await mailTo(plainServer);
    const [templates, file] = [path.join(launcher.folder, 'templates'), path.join(launcher.folder, 'log')];
    mkdirSync(path.join(templates, 'mail'), { recursive: true });
    writeFileSync(path.join(templates, 'mail/failure.txt.hbs'), 'CASE of {{blocks.[0].what}}');
    launcher.configure({
      firewalls: { edge: { ...settingsOf(edge), port: 9 }, depot: { ...settingsOf(edge), port: 9 } },
      templates_dir: templates,
      log: { file },
    });
    expect((await launcher.json([...alarm, '--firewall=edge'])).exit).to.equal(4);
    await waitUntil('the mail', () => received.length > 0);
    expect(received[0]?.mail.text?.trim()).to.equal('CASE of 203.0.113.7 -> 192.168.1.10 tcp/22 on wan');
    expect(received[0]?.mail.html).to.include('firebreak retry');

    writeFileSync(path.join(templates, 'mail/failure.txt.hbs'), 'CASE of {{whom}}');
    const { stderr } = await launcher.firebreak([...alarm, '--firewall=depot']);
    expect(stderr).to.match(/templates in .* were not used: "whom" not defined/);
    await waitUntil('the second mail', () => received.length > 1);
    expect(received[1]?.mail.text).to.include('Note: your templates in').and.include('firebreak retry');
    expect(received[1]?.mail.html).to.include('your templates in');
    expect(readFileSync(file, 'utf8')).to.match(/"level":"error","message":"templates in .*"whom/);
  });

  it('and, if configured, each change that a run has proven', async () => {
    const { received } = await mailTo(plainServer, { on: ['success'] });
    const { exit, answer } = await launcher.json([...alarm, '--event-id=6a1f0c8e']);
    expect(exit).to.equal(0);
    await waitUntil('the mail', () => received.length > 0);
    expect((await launcher.json(alarm)).answer.run).to.equal(null); // in force already: no mail
    expect((await launcher.json(['unblock', '203.0.113.7'])).exit).to.equal(0);
    await waitUntil('the second mail', () => received.length > 1);
    expect(received.map(({ mail }) => mail.subject)).to.deep.equal([
      '[firebreak] edge: 1 block in force: 203.0.113.7 -> 192.168.1.10 tcp/22 on wan',
      '[firebreak] edge: 1 block released: 203.0.113.7 -> 192.168.1.10 tcp/22 on wan',
    ]);
    expect(received[0]?.mail.text).to.include('event-id 6a1f0c8e');
    expect(received[0]?.mail.html).to.include(`firebreak unblock --id ${answer.blocks[0]?.id.slice(-6)}`);
  });

  for (const [title, mode, text] of [
    ['its password file holds', 0o600, `${mailPassword}\n`],
    ['its password file prints when executed', 0o700, `#!/bin/sh\necho ${mailPassword}\n`],
  ] as const)
    it(`by STARTTLS and with the login that ${title}`, async function () {
      if (!canMakeCertificate()) this.skip();
      const certificate = makeCertificate(launcher.folder);
      const file = path.join(launcher.folder, 'mail_password');
      writeFileSync(file, text, { mode });
      const { received } = await mailTo(certificate, { user: 'robot', password_file: file, tls: 'starttls' });
      await edge.goAway();
      const { exit, stderr } = await launcher.firebreak(alarm, { env: { NODE_EXTRA_CA_CERTS: certificate.file } });
      expect({ exit, stderr }).to.deep.equal({ exit: 4, stderr: '' });
      await waitUntil('the mail', () => received.length > 0);
      expect(received).to.have.length(1);
      expect(received[0]).to.include({ user: 'robot', secure: true });
      expect(received[0]?.mail.text).to.include('203.0.113.7').and.not.include(mailPassword);
    });
});

describe('firebreak expire', function () {
  this.timeout(120_000);

  it('mails once that a long block ends within mail.expiry_notice, and how to extend it', async () => {
    const edge = await startFirewall();
    const launcher = makeLauncher({ edge: settingsOf(edge) });
    const server = await startMailServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
    try {
      const mail = { host: '127.0.0.1', port: server.port, from: 'firebreak@example.org', to: ['soc@example.org'] };
      launcher.configure({ mail: { ...mail, on: ['expiry'], expiry_notice: '12h' } });
      const { exit, answer } = await launcher.json([...alarm, '--for', '7d']);
      expect(exit).to.equal(0);
      await launcher.firebreak(['expire']);
      const ledger = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
      const pass = (hours: number) => {
        const ms = hours * 3_600_000;
        ledger.prepare('UPDATE block SET created_at = created_at - ?, expires_at = expires_at - ?').run(ms, ms);
      };
      pass(6 * 24 + 11);
      await launcher.firebreak(['expire']);
      expect(ledger.prepare('SELECT notice_for FROM block').all()).to.deep.equal([{ notice_for: null }]);
      pass(2);
      ledger.close();
      for (let run = 1; run <= 3; run += 1) await launcher.firebreak(['expire']);
      await waitUntil('the mail', () => server.received.length > 0);
      expect(server.received).to.have.length(1);
      const [received] = server.received;
      expect(received?.mail.subject).to.match(/^\[firebreak\] ENDING: 203\.0\.113\.7 from /);
      expect(received?.mail.text).to.include(`firebreak extend ${answer.blocks[0]?.id.slice(-6)} --for 7d`);
    } finally {
      await server.stop();
      launcher.remove();
      await edge.stop();
    }
  });
});
