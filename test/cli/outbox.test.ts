import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import type { SMTPServerOptions } from 'smtp-server';
import type { QueuedMessage } from '#firebreak/ledger/messages.js';
import { openLedger } from '#firebreak/ledger/index.js';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import { makeLauncher, program, waitForEnd, waitUntil, type Launcher } from '../lab/launcher.js';
import {
  canMakeCertificate,
  mailPassword,
  makeCertificate,
  startMailServer,
  type MailServer,
} from '../lab/mail-server.js';
import { readMessages } from '../lab/messages.js';

const plainServer: SMTPServerOptions = { disabledCommands: ['STARTTLS', 'AUTH'] };

/** An SMTP server's refusal of a mail. */
const refusal = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode });

describe('the outbox', function () {
  this.timeout(60_000);
  let launcher: Launcher;
  let server: MailServer | undefined;

  // No run is started: no block is pending.
  beforeEach(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    await withLedger((ledger) =>
      ledger.queueMessage({ id: 'M1', kind: 'test', content: { subject: 'one', text: 'First.' } }),
    );
  });

  afterEach(async () => {
    await server?.stop();
    server = undefined;
    launcher.remove();
  });

  const file = (): string => path.join(launcher.stateDir, 'ledger.db');

  async function withLedger<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    const ledger = await openLedger({ file: file() });
    return work(ledger).finally(() => ledger.close());
  }

  const messages = (): QueuedMessage[] => readMessages(file());

  /** Ends the delay of every message. */
  function makeDue(): void {
    const database = new DatabaseSync(file());
    database.exec('UPDATE outbox SET due_at = 1 WHERE due_at IS NOT NULL');
    database.close();
  }

  function mailTo(port: number, keys: object = {}): void {
    launcher.configure({
      mail: { host: '127.0.0.1', port, from: 'firebreak@example.org', to: ['soc@example.org'], ...keys },
    });
  }

  async function serve(options: SMTPServerOptions, keys: object = {}): Promise<MailServer> {
    server = await startMailServer(options);
    mailTo(server.port, keys);
    return server;
  }

  /** Sends all due messages with `drain`, and returns its stderr. */
  async function drain(options: Parameters<Launcher['firebreak']>[1] = {}): Promise<string> {
    const { exit, stderr } = await launcher.firebreak(['drain'], options);
    expect(exit).to.equal(0);
    return stderr;
  }

  /** The same, as a person calls it, who waits for its end. */
  async function drainOnTerminal(): Promise<string> {
    const command = `'${process.execPath}' '${program}' drain --config '${launcher.configFile}'`;
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'dumb' },
    });
    return (await waitForEnd(child)).stdout;
  }

  it('is sent by drain, each mail once, with a Message-ID of its own', async () => {
    const { received } = await serve(plainServer);
    expect(await drain()).to.equal('');
    makeDue();
    expect(await drain()).to.equal('');
    expect(received.map(({ mail }) => [mail.subject, mail.text?.trim(), mail.messageId])).to.deep.equal([
      ['one', 'First.', '<m1@example.org>'],
    ]);
  });

  it('waits for a server that takes more than ten seconds for a step, as RFC 5321 asks', async () => {
    const onMailFrom: SMTPServerOptions['onMailFrom'] = (_address, _session, accept) =>
      void setTimeout(() => accept(null), 11_000);
    const { received } = await serve({ ...plainServer, onMailFrom });
    expect(await drain()).to.equal('');
    expect(received).to.have.length(1);
  });

  it('is sent by expire', async () => {
    const { received } = await serve(plainServer);
    expect((await launcher.firebreak(['expire'])).exit).to.equal(0);
    expect(received).to.have.length(1);
  });

  /** The ledger has been in use for so long that the last day is a full one. */
  function makeOld(): void {
    const database = new DatabaseSync(file());
    database.exec("INSERT INTO chore (name, done_at) VALUES ('begin', 1)");
    database.close();
  }

  it('contains no digest before the first full day has ended', async () => {
    const { received } = await serve(plainServer, { on: ['digest'] });
    await drain();
    expect(received.map(({ mail }) => mail.subject)).to.deep.equal(['one']);
  });

  it('contains a digest of the last day, written once by the first process', async () => {
    makeOld();
    const { received } = await serve(plainServer, { on: ['digest'] });
    await Promise.all([drain(), drain()]);
    await drain();
    const digests = received.filter(({ mail }) => mail.subject !== 'one');
    expect(digests.map(({ mail }) => mail.subject)).to.have.length(1);
    expect(digests[0]?.mail.subject).to.match(/^\[firebreak\] \d{4}-\d\d-\d\d: 0 new blocks, 0 in force, all well$/);
    expect(digests[0]?.mail.messageId).to.match(/^<digest-\d{4}-\d\d-\d\d-.*@example\.org>$/);
    expect(digests[0]?.mail.text).to.match(/edge: 0 in force, 0 failing/);
    expect(digests[0]?.mail.html).to.include('Firewalls now');
  });

  it('gets its digest from an alarm too, if that comes first', async () => {
    makeOld();
    const { received } = await serve(plainServer, { on: ['digest'] });
    const { exit } = await launcher.firebreak(['block', '127.0.0.1', '192.168.1.10', '22']);
    expect(exit).to.equal(3); // refused: no run is started
    await waitUntil('both mails', () => received.length > 1);
    expect(received[1]?.mail.text)
      .to.match(/refused +0 /)
      .and.match(/new blocks +0\n/);
  });

  it('survives an unreachable mail server, and reports it', async () => {
    const { port } = await serve(plainServer);
    await server?.stop();
    expect(await drain()).to.match(/^firebreak: mail not sent to soc@example\.org: .*ECONNREFUSED.*; will retry/);
    server = undefined;
    expect(messages()[0]).to.include({ tries: 1, sentAt: null });
    expect(await drain()).to.equal(''); // its retry is not due yet
    const { received } = await serve(plainServer);
    expect(port).to.be.a('number');
    makeDue();
    expect(await drain()).to.equal('');
    expect(received[0]?.mail.subject).to.equal('one');
    expect(messages()[0]?.sentAt).to.be.a('number');
  });

  for (const [title, options, reason] of [
    [
      'of a recipient, temporary',
      { onRcptTo: (_address, _session, done) => done(refusal(450, 'greylisted')) },
      /450 greylisted/,
    ],
    [
      'of a recipient, permanent',
      { onRcptTo: (_address, _session, done) => done(refusal(550, 'no such user')) },
      /550/,
    ],
    [
      'of the mail itself',
      {
        onData: (stream, _session, done) => {
          stream.on('end', () => done(refusal(452, 'the disk is full'))).resume();
        },
      },
      /452 the disk is full/,
    ],
  ] as readonly [string, SMTPServerOptions, RegExp][]) {
    it(`retries after a refusal ${title}`, async () => {
      await serve({ ...plainServer, ...options });
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        expect(await drain()).to.match(reason);
        expect(messages()[0]).to.include({ tries: attempt, sentAt: null });
        makeDue();
      }
      await server?.stop();
      const { received } = await serve(plainServer);
      await drain();
      expect(received).to.have.length(1);
    });
  }

  it('sends a mail at most twice if the server accepts it and closes the connection', async () => {
    const ids: (string | undefined)[] = [];
    const rude = createServer((socket) => {
      let text = '';
      socket.on('error', () => undefined).write('220 here\r\n');
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.endsWith('\r\n.\r\n')) {
          ids.push(/^Message-ID: (\S+)/m.exec(text)?.[1]);
          socket.destroy();
        } else if (/^(EHLO|MAIL|RCPT)/.test(part)) socket.write('250 yes\r\n');
        else if (part.startsWith('DATA')) socket.write('354 go on\r\n');
      });
    });
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    mailTo((rude.address() as AddressInfo).port); // it listens on TCP
    try {
      for (let attempt = 1; attempt <= 4; attempt += 1) {
        await drain();
        makeDue();
      }
      expect(ids).to.deep.equal(['<m1@example.org>', '<m1@example.org>']);
      expect(messages()[0]).to.include({ tries: 2, sentAt: null, dueAt: null });
    } finally {
      await new Promise((resolve) => rude.close(resolve));
    }
  });

  it('waits at most ten seconds for a silent server where somebody waits, and postpones the other mails', async () => {
    await withLedger((ledger) =>
      ledger.queueMessage({ id: 'M2', kind: 'test', content: { subject: 'two', text: '' } }),
    );
    let calls = 0;
    const silent = createServer(() => (calls += 1));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    mailTo((silent.address() as AddressInfo).port); // it listens on TCP
    try {
      expect(await drainOnTerminal()).to.match(
        /firebreak: mail not sent to soc@example\.org: .*(Greeting never received|[Tt]imeout)/,
      );
      expect(calls).to.equal(1);
      expect(messages().map(({ tries }) => tries)).to.deep.equal([1, 1]);
    } finally {
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  it('sends nothing in the clear if STARTTLS is configured and the server does not offer it', async () => {
    const { received } = await serve(plainServer, { tls: 'starttls' });
    expect(await drain()).to.match(/mail not sent/);
    expect(received).to.deep.equal([]);
  });

  it('sends nothing to a server with an untrusted certificate', async function () {
    if (!canMakeCertificate()) this.skip();
    const certificate = makeCertificate(launcher.folder);
    const { received } = await serve({ ...certificate, secure: true, authOptional: true }, { tls: 'tls' });
    expect(await drain()).to.match(/mail not sent .*self-signed certificate/);
    expect(received).to.deep.equal([]);
    makeDue();
    expect(await drain({ env: { NODE_EXTRA_CA_CERTS: certificate.file } })).to.equal('');
    expect(received[0]).to.include({ secure: true });
  });

  /** A server with a self-signed certificate, and the configuration keys for it. */
  async function serveOverTls(secure: boolean, name?: string, keys: object = {}): Promise<MailServer> {
    const { key, cert, file: ca_file } = makeCertificate(launcher.folder, name);
    return serve({ key, cert, secure, authOptional: true }, { tls: secure ? 'tls' : 'starttls', ca_file, ...keys });
  }

  function writePassword(password: string): { user: string; password_file: string } {
    const password_file = path.join(launcher.folder, 'mail_password');
    writeFileSync(password_file, `${password}\n`, { mode: 0o600 });
    return { user: 'robot', password_file };
  }

  for (const [title, secure] of [
    ['from the first byte', true],
    ['by STARTTLS', false],
  ] as const) {
    it(`is sent under TLS ${title} to a server that a private CA certified, with a login`, async function () {
      if (!canMakeCertificate()) this.skip();
      const { received } = await serveOverTls(secure, undefined, writePassword(mailPassword));
      expect(await drain()).to.equal('');
      expect(received[0]).to.include({ secure: true, user: 'robot' });
    });

    it(`sends nothing under TLS ${title} to a server with another host's certificate`, async function () {
      if (!canMakeCertificate()) this.skip();
      const { received } = await serveOverTls(secure, 'DNS:mail.example.org');
      expect(await drain()).to.match(/mail not sent .*(altname|does not match)/i);
      expect(received).to.deep.equal([]);
    });
  }

  it('sends no password to a server without STARTTLS, unless configured', async () => {
    const said: string[] = [];
    const onAuth: SMTPServerOptions['onAuth'] = ({ password }, _session, done) => {
      said.push(password ?? '');
      done(null, { user: 'robot' });
    };
    const login = writePassword(mailPassword);
    const options = { disabledCommands: ['STARTTLS'], allowInsecureAuth: true, onAuth };
    const { received, port } = await serve(options, login);
    expect(await drain()).to.match(/mail not sent .*STARTTLS/i);
    expect({ said, received }).to.deep.equal({ said: [], received: [] });
    mailTo(port, { ...login, tls: 'none' });
    makeDue();
    expect(await drain()).to.equal('');
    expect(said).to.deep.equal([mailPassword]);
  });

  it('sends a mail at most twice if the server accepts it without an answer', async () => {
    let left = 0;
    const onData: SMTPServerOptions['onData'] = (stream) => {
      left += 1;
      stream.resume(); // without an answer
    };
    await serve({ ...plainServer, onData });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await drainOnTerminal();
      makeDue();
    }
    expect(left).to.equal(2);
    expect(messages()[0]).to.include({ tries: 2, sentAt: null, dueAt: null });
  });

  it('never reveals a password that a server refuses', async function () {
    if (!canMakeCertificate()) this.skip();
    const certificate = makeCertificate(launcher.folder);
    await serve(certificate, { ...writePassword('canary-that-is-wrong'), tls: 'starttls' });
    const said = await drain({ env: { NODE_EXTRA_CA_CERTS: certificate.file } });
    expect(said)
      .to.match(/mail not sent .*535/)
      .and.not.include('canary');
    expect(JSON.stringify(messages())).to.not.include('canary');
  });
});
