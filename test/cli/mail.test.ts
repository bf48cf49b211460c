import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];
const password = 'canary-of-the-mail-server';

interface Received {
  readonly mail: ParsedMail;
  readonly from: string;
  readonly to: string[];
  readonly user: string | undefined;
  readonly secure: boolean;
}

interface MailServer {
  readonly port: number;
  readonly received: Received[];
  stop(): Promise<void>;
}

/** A real SMTP server on loopback that keeps what it is sent. */
async function startMailServer(options: SMTPServerOptions): Promise<MailServer> {
  const received: Received[] = [];
  const server = new SMTPServer({
    logger: false,
    ...options,
    onAuth: ({ username, password: given }, _session, callback) =>
      given === password ? callback(null, { user: username ?? '' }) : callback(new Error('wrong password')),
    onData: (stream, session, callback) => {
      const { mailFrom, rcptTo } = session.envelope;
      void simpleParser(stream).then((mail) => {
        received.push({
          mail,
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user === undefined ? undefined : String(session.user),
          secure: session.secure,
        });
        callback();
      }, callback);
    },
  });
  server.on('error', () => undefined); // a client that goes away
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo; // it listens on TCP
  return { port, received, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

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

  it('once, to all who are named: who is not blocked, where, why, and the command to try again', async () => {
    const { received } = await mailTo(plainServer);
    edge.setFaults({ refuse: 'next' });
    const { exit, answer } = await launcher.json(alarm);
    expect(exit).to.equal(5);
    expect(received).to.have.length(1);
    const { mail, from, to } = received[0]!;
    expect({ from, to }).to.deep.equal({ from: 'firebreak@example.org', to: ['soc@example.org', 'noc@example.org'] });
    expect(mail.subject).to.match(/^\[firebreak\] .*edge.*203\.0\.113\.7/);
    const text = mail.text ?? '';
    expect(text).to.include('203.0.113.7 -> 192.168.1.10 tcp/22 on wan').and.include('edge');
    expect(text).to.include('pf refused the rules').and.include(`firebreak retry ${answer.blocks[0]?.id}`);
    expect(text).to.include(answer.run?.id);
    expect(mail.attachments).to.deep.equal([]);
    for (const line of text.split('\n')) expect(line.length, line).to.be.below(998);
  });

  it('with nothing secret in it, whatever the firewall’s configuration holds', async () => {
    const { received } = await mailTo(plainServer);
    edge.setFaults({ refuse: 'next' });
    await launcher.firebreak(alarm);
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

  it('not where the block is in force, or is refused, or is tried dry', async () => {
    const { received } = await mailTo(plainServer);
    expect((await launcher.json(alarm)).exit).to.equal(0);
    expect((await launcher.json(['block', '127.0.0.1', '192.168.1.10', '22'])).exit).to.equal(3);
    await edge.goAway();
    expect((await launcher.json(['block', '203.0.113.8', '192.168.1.10', '22', '--check'])).exit).to.equal(4);
    expect(received).to.deep.equal([]);
  });

  it('by STARTTLS and with the login of its password file', async function () {
    if (!canMakeCertificate()) this.skip();
    const certificate = makeCertificate(launcher.folder);
    const file = path.join(launcher.folder, 'mail_password');
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    const { received } = await mailTo(certificate, { user: 'robot', password_file: file, tls: 'starttls' });
    await edge.goAway();
    const { exit, stderr } = await launcher.firebreak(alarm, { env: { NODE_EXTRA_CA_CERTS: certificate.file } });
    expect({ exit, stderr }).to.deep.equal({ exit: 4, stderr: '' });
    expect(received).to.have.length(1);
    expect(received[0]).to.include({ user: 'robot', secure: true });
    expect(received[0]?.mail.text).to.include('203.0.113.7').and.not.include(password);
  });

  it('not in the clear where STARTTLS is asked for and the server has none', async () => {
    const { received } = await mailTo(plainServer, { tls: 'starttls' });
    await edge.goAway();
    const { exit, stderr } = await launcher.firebreak(alarm);
    expect(exit).to.equal(4);
    expect(received).to.deep.equal([]);
    expect(stderr).to.match(/^firebreak: mail not sent to soc@example\.org, noc@example\.org: /m);
  });

  it('and keeps its exit code where the login is refused, without telling the password', async function () {
    if (!canMakeCertificate()) this.skip();
    const certificate = makeCertificate(launcher.folder);
    const file = path.join(launcher.folder, 'mail_password');
    writeFileSync(file, 'canary-that-is-wrong', { mode: 0o600 });
    await mailTo(certificate, { user: 'robot', password_file: file, tls: 'starttls' });
    await edge.goAway();
    const { exit, stdout, stderr } = await launcher.firebreak(alarm, {
      env: { NODE_EXTRA_CA_CERTS: certificate.file },
    });
    expect(exit).to.equal(4);
    expect(stderr).to.match(/^firebreak: mail not sent to soc@example\.org/);
    expect(stdout + stderr).to.not.include('canary');
  });

  it('and keeps its exit code where no mail server listens', async () => {
    const { port } = await mailTo(plainServer);
    await server?.stop();
    server = undefined;
    await edge.goAway();
    const { exit, stderr } = await launcher.firebreak([...alarm, '--json']);
    expect(exit).to.equal(4);
    expect(stderr).to.match(/^firebreak: mail not sent to soc@example\.org, noc@example\.org: .*ECONNREFUSED/);
    expect(stderr).to.include(String(port));
  });

  it('and gives up on a mail server that takes the connection and says nothing', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo; // it listens on TCP
    launcher.configure({ mail: { host: '127.0.0.1', port, from: 'firebreak@example.org', to: ['soc@example.org'] } });
    await edge.goAway();
    try {
      const { exit, stderr } = await launcher.firebreak(alarm);
      expect(exit).to.equal(4);
      expect(stderr).to.match(/^firebreak: mail not sent to soc@example\.org: .*Greeting never received/);
    } finally {
      await new Promise((resolve) => silent.close(resolve));
    }
  });
});

function canMakeCertificate(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A certificate for 127.0.0.1 of our own making. */
function makeCertificate(folder: string): { key: Buffer; cert: Buffer; file: string } {
  const [key, file] = [path.join(folder, 'mail.key'), path.join(folder, 'mail.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', file],
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(key), cert: readFileSync(file), file };
}
