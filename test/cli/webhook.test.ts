import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import type { QueuedMessage } from '#firebreak/ledger/messages.js';
import { openLedger } from '#firebreak/ledger/index.js';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import { findCodeBlocks } from '../lab/documents.js';
import { startHookServer, type HookServer, type Posted } from '../lab/hook-server.js';
import { makeLauncher, waitUntil, type Launcher } from '../lab/launcher.js';
import { canMakeCertificate, makeCertificate, startMailServer } from '../lab/mail-server.js';
import { readMessages } from '../lab/messages.js';

const secret = 'canary-of-the-webhook';

/** What docs/configuration.md shows for a receiver, called with one request and the time at which it is verified. */
function isOurs({ headers, body }: Posted, key: string, laterSeconds = 0): boolean {
  const shown = findCodeBlocks('docs/configuration.md').find(({ language }) => language === 'python')?.text ?? '';
  const call = `${shown}
import sys
now = time.time()
time.time = lambda: now + float(sys.argv[3])
print(is_ours(sys.argv[1].encode(), sys.argv[2], sys.stdin.buffer.read()))`;
  const args = ['-c', call, key, String(headers['firebreak-signature']), String(laterSeconds)];
  return execFileSync('python3', args, { input: body, encoding: 'utf8' }).trim() === 'True';
}

describe('the webhook', function () {
  this.timeout(60_000);
  let launcher: Launcher;
  let server: HookServer | undefined;

  // Only one test runs against the firewall, which does not exist.
  beforeEach(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    await queue('M1', { kind: 'failure', title: 'edge: 1 block NOT in force' });
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

  const queue = (id: string, event: object): Promise<void> =>
    withLedger((ledger) => ledger.queueMessage({ id, kind: 'webhook', content: { event: JSON.stringify(event) } }));
  const messages = (): QueuedMessage[] => readMessages(file());

  /** Ends the delay of every message. */
  function makeDue(): void {
    const database = new DatabaseSync(file());
    database.exec('UPDATE outbox SET due_at = 1 WHERE due_at IS NOT NULL');
    database.close();
  }

  function write(name: string, text: string): string {
    const named = path.join(launcher.folder, name);
    writeFileSync(named, text);
    chmodSync(named, 0o600);
    return named;
  }

  const hookTo = (port: number, keys: object = {}): void =>
    launcher.configure({ webhook: { url: `http://127.0.0.1:${port}/hook/canary-path`, ...keys } });

  async function serve(answer?: Parameters<typeof startHookServer>[0], keys: object = {}): Promise<HookServer> {
    server = await startHookServer(answer);
    hookTo(server.port, keys);
    return server;
  }

  async function drain(options: Parameters<Launcher['firebreak']>[1] = {}): Promise<string> {
    const { exit, stderr } = await launcher.firebreak(['drain'], options);
    expect(exit).to.equal(0);
    return stderr;
  }

  it('is posted by drain, each message once, with a signature that a receiver can verify', async () => {
    const { posted } = await serve(undefined, { secret_file: write('secret', `${secret}\n`) });
    expect(await drain()).to.equal('');
    makeDue();
    expect(await drain()).to.equal('');
    expect(posted).to.have.length(1);
    const [one] = posted as [Posted];
    expect(one).to.include({ method: 'POST', path: '/hook/canary-path' });
    expect(one.headers).to.include({ 'content-type': 'application/json', 'firebreak-delivery': 'M1' });
    expect(JSON.parse(one.body)).to.deep.equal({ id: 'M1', kind: 'failure', title: 'edge: 1 block NOT in force' });
    expect(isOurs(one, secret)).to.equal(true);
    expect(isOurs(one, 'another secret')).to.equal(false);
    expect(isOurs({ ...one, body: one.body.replace('NOT in', 'in') }, secret)).to.equal(false);
    expect(isOurs(one, secret, 3600)).to.equal(false);
    expect(JSON.stringify(one)).to.not.include(secret);
  });

  it('reads URL and headers from files, and uses the operator’s template', async () => {
    const { port, posted } = await serve();
    launcher.configure({
      webhook: {
        url_file: write('url', `http://127.0.0.1:${port}/from/a/file\n`),
        headers_file: write('headers', 'Authorization: Bearer canary-token\nX-Team: soc\n'),
        template: write('own.json.hbs', '{"text": {{json "fire: " title}}}'),
      },
    });
    expect(await drain()).to.equal('');
    expect(posted[0]).to.include({ path: '/from/a/file', body: '{"text":"fire: edge: 1 block NOT in force"}' });
    expect(posted[0]!.headers).to.include({ authorization: 'Bearer canary-token', 'x-team': 'soc' });
    expect(posted[0]!.headers).to.not.have.property('firebreak-signature');
  });

  for (const [title, answer, reason] of [
    ['503', (response) => response.writeHead(503).end('down'), '503: down'],
    ['400 with a word', (response) => response.writeHead(400).end('invalid_blocks\n'), '400: invalid_blocks'],
    [
      '404 with a page that repeats the path',
      (response, { path: asked }) => response.writeHead(404).end(`<p>Cannot POST ${asked}</p>`),
      '404',
    ],
    [
      'a redirect',
      (response, { path: asked }) =>
        response.writeHead(307, { location: asked === '/elsewhere' ? '/' : '/elsewhere' }).end(),
      '307: a redirect, which is not followed',
    ],
  ] as readonly [string, NonNullable<Parameters<typeof startHookServer>[0]>, string][]) {
    it(`retries after ${title}, and does not reveal the URL`, async () => {
      const { posted, port } = await serve(answer);
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        expect(await drain()).to.equal(
          `firebreak: webhook not sent to 127.0.0.1:${port}: the server answered ${reason}; will retry\n`,
        );
        expect(messages()[0]).to.include({ tries: attempt, sentAt: null });
        makeDue();
      }
      expect(posted.map((one) => one.path)).to.deep.equal(Array(2).fill('/hook/canary-path'));
      await server?.stop();
      const well = await serve();
      expect(await drain()).to.equal('');
      expect(well.posted).to.have.length(1);
    });
  }

  it('survives an unreachable server', async () => {
    const { port } = await serve();
    await server?.stop();
    server = undefined;
    expect(await drain()).to.match(/^firebreak: webhook not sent to 127\.0\.0\.1:\d+: .*ECONNREFUSED.*; will retry/);
    expect(await drain()).to.equal(''); // its retry is not due yet
    makeDue();
    server = await startHookServer(undefined, undefined, port);
    expect(await drain()).to.equal('');
    expect(server.posted).to.have.length(1);
    expect(messages()[0]?.sentAt).to.be.a('number');
  });

  it('leaves at most twice if the server accepts it without an answer, each time with the same id', async () => {
    const { posted } = await serve(() => undefined, { timeout: '1s' });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const said = await drain();
      expect(said).to.match(attempt <= 2 ? /: no answer within 1s; will retry/ : /^$/);
      makeDue();
    }
    expect(posted.map(({ headers }) => headers['firebreak-delivery'])).to.deep.equal(['M1', 'M1']);
    expect(messages()[0]).to.include({ tries: 2, sentAt: null, dueAt: null });
  });

  it('waits for a silent server no longer than its timeout, and once for all messages', async () => {
    await queue('M2', { kind: 'recovery' });
    let calls = 0;
    const silent = createServer((socket) => {
      calls += 1;
      socket.on('error', () => undefined).resume(); // it never greets, as TLS would have it
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo; // it listens on TCP
    launcher.configure({ webhook: { url: `https://127.0.0.1:${port}/`, timeout: '1s' } });
    try {
      expect(await drain()).to.match(/^firebreak: webhook not sent to \S+: no answer within 1s; will retry\n$/);
      expect(calls).to.equal(1);
      makeDue();
      await drain();
      expect(messages().map(({ tries, dueAt }) => [tries, dueAt !== null])).to.deep.equal([
        [2, true], // it never left, so retries are not limited
        [2, true],
      ]);
    } finally {
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  it('sends nothing to a server with an untrusted certificate, unless ca_file trusts it', async function () {
    if (!canMakeCertificate()) this.skip();
    const certificate = makeCertificate(launcher.folder);
    server = await startHookServer(undefined, certificate);
    const url = `https://127.0.0.1:${server.port}/`;
    launcher.configure({ webhook: { url } });
    expect(await drain()).to.match(/webhook not sent to .*: self-signed certificate; will retry/);
    expect(server.posted).to.deep.equal([]);
    launcher.configure({ webhook: { url: url.replace('127.0.0.1', 'localhost'), ca_file: certificate.file } });
    makeDue();
    expect(await drain()).to.match(/Hostname\/IP does not match/);
    launcher.configure({ webhook: { url, ca_file: certificate.file } });
    makeDue();
    expect(await drain()).to.equal('');
    expect(server.posted).to.have.length(1);
  });

  it('keeps a message whose template does not render JSON until it is fixed, and names the error', async () => {
    const template = write('own.json.hbs', '{"text": {{json title}}');
    const { posted } = await serve(undefined, { template });
    expect(await drain()).to.match(
      /webhook not sent to .*own\.json\.hbs: the result is not valid JSON: .*; will retry/,
    );
    write('own.json.hbs', '{"text": {{json title}}}');
    makeDue();
    expect(await drain()).to.equal('');
    expect(posted.map(({ body }) => body)).to.deep.equal(['{"text":"edge: 1 block NOT in force"}']);
  });

  it('and mails do not wait for each other if one server is unreachable', async () => {
    await withLedger((ledger) =>
      ledger.queueMessage({ id: 'M2', kind: 'failure', content: { subject: 'one', text: 'First.' } }),
    );
    const mails = await startMailServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
    const mail = { host: '127.0.0.1', port: mails.port, from: 'firebreak@example.org', to: ['soc@example.org'] };
    try {
      launcher.configure({ mail, webhook: { url: 'http://127.0.0.1:9/' } });
      expect(await drain()).to.match(/^firebreak: webhook not sent to 127\.0\.0\.1:9: /);
      expect(mails.received.map(({ mail: one }) => one.subject)).to.deep.equal(['one']);
    } finally {
      await mails.stop();
    }
  });

  for (const [title, webhook, sentence] of [
    ['without a URL', {}, /webhook: expected url or url_file/],
    ['with an invalid URL', { url: 'hooks.example.org' }, /webhook\.url: expected an address that begins with https/],
    [
      'with a secret that others can read',
      { url: 'https://x.example/', secret_file: 'open' },
      /webhook\.secret_file: others can read/,
    ],
  ] as const) {
    it(`is refused in the configuration ${title}`, async () => {
      write('open', secret);
      chmodSync(path.join(launcher.folder, 'open'), 0o644);
      launcher.configure({ webhook });
      const { exit, stderr } = await launcher.firebreak(['drain']);
      expect(exit).to.equal(2);
      expect(stderr).to.match(sentence).and.not.include(secret);
    });
  }

  it('reports an unreachable firewall once, by the launcher that found it, without any secret', async () => {
    const { posted } = await serve(undefined, { secret_file: write('secret', secret) });
    const flow = (port: string): string[] => ['block', '203.0.113.7', '192.168.1.10', port];
    expect((await launcher.firebreak(flow('22'))).exit).to.equal(4);
    await waitUntil('both messages', () => posted.length === 2); // the one of beforeEach, too
    expect((await launcher.firebreak(flow('23'))).exit).to.equal(4);
    expect(messages().filter(({ kind }) => kind === 'webhook')).to.have.length(2);
    const event = JSON.parse(posted.find(({ body }) => !body.includes('"id":"M1"'))!.body) as Record<string, unknown>;
    expect(event).to.include({ kind: 'failure', firewall: 'edge', count: 1, alarms: 1 });
    expect(event['title']).to.equal('edge: 1 block NOT in force: unreachable');
    expect(JSON.stringify(posted)).to.not.include(secret);
  });
});
