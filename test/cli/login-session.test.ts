import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { openLedger } from '#firebreak/ledger/index.js';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import { beginSession, findSession } from '#firebreak/serve/people/login-session.js';
import type { Server } from '#firebreak/serve/route.js';
import { aConfig } from '../fixtures.js';

const minute = 60_000;
const hour = 60 * minute;

/** With a real ledger whose clock the test sets. */
describe('a login session', () => {
  let folder: string;
  let ledger: Ledger;
  let wall: number;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'session-'));
    wall = 1_760_000_000_000;
    ledger = await openLedger({
      file: path.join(folder, 'ledger.db'),
      clock: () => ({ wall, uptime: wall, boot: 'one' }),
    });
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const alice = { name: 'alice', role: 'admin', via: 'password', address: '192.0.2.7' } as const;

  const makeServer = (serve: object = {}): Server =>
    ({ app: { ledger, config: aConfig({ serve }) } }) as unknown as Server; // all that sessions use of it

  /** Logs in, and gives a function that says whether the session is valid at that time. */
  async function logIn(server: Server): Promise<() => Promise<boolean>> {
    const headers = new Headers({ host: '127.0.0.1:8080' });
    const { cookie } = await beginSession(alice, headers, server);
    headers.set('cookie', cookie.split(';')[0] ?? '');
    return async () => (await findSession(headers, server)) !== undefined;
  }

  it('ends after an hour without use, and not before; each use counts', async () => {
    const isValid = await logIn(makeServer());
    for (let uses = 0; uses < 3; uses += 1) {
      wall += hour - 1;
      expect(await isValid()).to.equal(true);
    }
    wall += hour;
    expect(await isValid()).to.equal(false);
  });

  it('ends 12 hours after the login, however often it is used', async () => {
    const isValid = await logIn(makeServer());
    for (let minutes = 0; minutes < 12 * 60 - 30; minutes += 30) {
      wall += 30 * minute;
      expect(await isValid()).to.equal(true);
    }
    wall += 30 * minute - 1;
    expect(await isValid()).to.equal(true);
    wall += 1;
    expect(await isValid()).to.equal(false);
  });

  it('ends after the times of the configuration', async () => {
    const server = makeServer({ page: { enabled: true, session: '20m', idle: '5m' } });
    const [used, unused] = [await logIn(server), await logIn(server)];
    wall += 5 * minute - 1;
    expect(await used()).to.equal(true);
    wall += 1;
    expect([await used(), await unused()]).to.deep.equal([true, false]);
    for (let minutes = 5; minutes < 19; minutes += 1) {
      wall += minute;
      expect(await used()).to.equal(true);
    }
    wall += minute;
    expect(await used()).to.equal(false);
  });

  const cookies: readonly (readonly [string, object, string, boolean])[] = [
    ['loopback without TLS', {}, '127.0.0.1:8080', false],
    ['loopback by name', {}, 'localhost', false],
    ['another host, behind a proxy', {}, 'firebreak.example.org', true],
    ['HTTPS in serve.page.url', { page: { enabled: true, url: 'https://f.example.org/' } }, '127.0.0.1:8080', true],
    ['TLS of its own', { tls: { cert_file: '/c.pem', key_file: '/k.pem' } }, '127.0.0.1:8443', true],
  ];
  for (const [where, serve, host, isSecure] of cookies) {
    it(`has a cookie that ${isSecure ? 'only HTTPS carries' : 'plain HTTP carries'}: ${where}`, async () => {
      const { cookie } = await beginSession(alice, new Headers({ host }), makeServer(serve));
      const expected = isSecure
        ? /^__Host-firebreak=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/
        : /^firebreak=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/;
      expect(cookie).to.match(expected);
    });
  }

  it('is not found by a cookie whose name other hosts can set, where HTTPS is used', async () => {
    const server = makeServer({ tls: { cert_file: '/c.pem', key_file: '/k.pem' } });
    const headers = new Headers({ host: '127.0.0.1:8443' });
    const { cookie } = await beginSession(alice, headers, server);
    const [pair = ''] = cookie.split(';');
    headers.set('cookie', pair.replace('__Host-', ''));
    expect(await findSession(headers, server)).to.equal(undefined);
    headers.set('cookie', pair);
    expect(await findSession(headers, server)).to.not.equal(undefined);
  });
});
