import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

const password = 'correct horse battery';

describe('the people of the page', function () {
  this.timeout(240_000);
  let launcher: Launcher;
  let serving: Serving;

  const givePassword = (text: string): string => {
    const file = path.join(launcher.folder, 'password');
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  };
  const addUser = (name: string, role: string, text = password) =>
    launcher.firebreak(['user', 'add', name, '--role', role, '--password-file', givePassword(text)]);
  const send = (url: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    serving.send('POST', url, { body: new URLSearchParams(form), headers: { authorization: 'none', ...headers } });
  const logIn = (name: string, text = password, headers: Record<string, string> = {}) =>
    send('/login', { name, password: text, next: '/firewalls?state=open' }, headers);
  const cookieOf = ({ headers }: { headers: Headers }): string => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';

  before(async () => {
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      { ansible: { playbook_command: '/bin/false', warm: 0 }, serve: { page: { enabled: true } } },
    );
    for (const [name, role] of [
      ['alice', 'admin'],
      ['bob', 'viewer'],
    ] as const)
      expect((await addUser(name, role)).exit).to.equal(0);
    serving = await startServing(launcher, '');
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  it('are listed with their roles, and their passwords are nowhere', async () => {
    const { stdout } = await launcher.firebreak(['user', 'list', '--json']);
    const { users } = JSON.parse(stdout) as { users: { name: string; role: string }[] };
    expect(users.map(({ name, role }) => [name, role])).to.deep.equal([
      ['alice', 'admin'],
      ['bob', 'viewer'],
    ]);
    expect(readFileSync(path.join(launcher.stateDir, 'ledger.db')).includes(password)).to.equal(false);
  });

  it('are not added with a short password, another role, an odd name or twice', async () => {
    const refused = [
      await addUser('carol', 'viewer', 'only eleven'),
      await addUser('carol', 'root'),
      await addUser('Carol', 'viewer'),
      await addUser('bob', 'admin'),
    ];
    expect(refused.map(({ exit }) => exit)).to.deep.equal([2, 2, 2, 2]);
  });

  it('log in with a cookie that scripts and other sites cannot use, and are led on to a page of ours only', async () => {
    const reply = await logIn('alice');
    expect([reply.status, reply.headers.get('location')]).to.deep.equal([303, '/firewalls?state=open']);
    expect(reply.headers.get('set-cookie')).to.match(/^firebreak=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
      const { headers } = await send('/login', { name: 'alice', password, next });
      expect(headers.get('location')).to.equal('/');
    }
  });

  it('do not log in with a form of another site', async () => {
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign) expect((await logIn('alice', password, headers)).status).to.equal(403);
    const own = { origin: 'null', 'sec-fetch-site': 'same-origin' };
    expect((await logIn('alice', password, own)).status).to.equal(303);
  });

  it('log out with the token of their session only, and a cookie that was stolen ends with it', async () => {
    const cookie = cookieOf(await logIn('bob'));
    const loggedIn = await serving.send('GET', '/login', { headers: { cookie } });
    expect(loggedIn.status).to.equal(303);
    expect((await send('/logout', {}, { cookie })).status).to.equal(403);
    expect((await send('/logout', { csrf: 'x'.repeat(43) }, { cookie })).status).to.equal(403);
    expect((await send('/logout', {})).status).to.equal(401);
    const page = await serving.send('GET', '/account', { headers: { cookie } });
    const [, csrf = ''] =
      /action="\/logout">\s*<input type="hidden" name="csrf" value="([\w-]+)"/.exec(page.text) ?? [];
    const reply = await send('/logout', { csrf }, { cookie });
    expect([reply.status, reply.headers.get('set-cookie')]).to.deep.equal([
      303,
      'firebreak=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
    ]);
    const after = await serving.send('GET', '/account', { headers: { cookie } });
    expect([after.status, after.headers.get('location')]).to.deep.equal([303, '/login?next=%2Faccount']);
  });

  it('see their sessions, and lose them with a new role', async () => {
    const cookie = cookieOf(await logIn('bob'));
    expect((await serving.send('GET', '/account', { headers: { cookie } })).text).to.contain('127.0.0.1');
    expect((await launcher.firebreak(['user', 'role', 'bob', 'operator'])).exit).to.equal(0);
    expect((await serving.send('GET', '/account', { headers: { cookie } })).status).to.equal(303);
  });

  it('lose their open pages with the session: by logout, by a new role, by a new password and when removed', async () => {
    expect((await addUser('dora', 'viewer')).exit).to.equal(0);
    const csrfOf = async (cookie: string): Promise<string> => {
      const { text } = await serving.send('GET', '/account', { headers: { cookie } });
      return /name="csrf" value="([\w-]+)"/.exec(text)?.[1] ?? '';
    };
    const ends: readonly ((cookie: string) => Promise<unknown>)[] = [
      async (cookie) => send('/logout', { csrf: await csrfOf(cookie) }, { cookie }),
      () => launcher.firebreak(['user', 'role', 'dora', 'operator']),
      () => launcher.firebreak(['user', 'password', 'dora', '--password-file', givePassword(password)]),
      () => launcher.firebreak(['user', 'remove', 'dora']),
    ];
    for (const end of ends) {
      const cookie = cookieOf(await logIn('dora'));
      const other = cookieOf(await logIn('alice'));
      const stop = new AbortController();
      const kept = await fetch(`${serving.url}/events`, { headers: { cookie: other }, signal: stop.signal });
      const reader = kept.body?.getReader();
      await reader?.read();
      const lost = await fetch(`${serving.url}/events`, { headers: { cookie } });
      await end(cookie);
      await lost.text(); // a stream that goes on lasts longer than this test may
      expect((await reader?.read())?.done).to.equal(false);
      stop.abort();
      const part = await serving.send('GET', '/?q=x', { headers: { cookie, 'hx-request': 'true' } });
      expect([part.status, part.text, part.headers.get('hx-redirect')]).to.deep.equal([
        401,
        '',
        '/login?next=%2F%3Fq%3Dx',
      ]);
    }
  });

  it('change their password with the one they have, which ends their sessions', async () => {
    const cookie = cookieOf(await logIn('bob'));
    const { text } = await serving.send('GET', '/account', { headers: { cookie } });
    const [, csrf = ''] = /name="csrf" value="([\w-]+)"/.exec(text) ?? [];
    const change = (old: string, next: string, again = next) =>
      send('/account', { csrf, old, new: next, again }, { cookie });
    for (const reply of [
      await change('not the password', 'another long password'),
      await change(password, 'short'),
      await change(password, 'another long password', 'and yet another one'),
    ]) {
      expect(reply.status).to.equal(400);
      expect(reply.text).to.match(/role="alert"/);
    }
    expect((await change(password, 'another long password')).headers.get('location')).to.equal('/login');
    expect((await serving.send('GET', '/account', { headers: { cookie } })).status).to.equal(303);
    expect((await logIn('bob')).status).to.equal(401);
    expect((await logIn('bob', 'another long password')).status).to.equal(303);
    expect(
      (await launcher.firebreak(['user', 'password', 'bob', '--password-file', givePassword(password)])).exit,
    ).to.equal(0);
  });

  it('are locked for an address after five failures, whether they exist or not', async () => {
    for (const name of ['bob', 'nobody']) {
      for (let count = 0; count < 5; count += 1) expect((await logIn(name, 'a wrong password')).status).to.equal(401);
      expect((await logIn(name)).status).to.equal(429);
    }
    expect((await logIn('alice')).status).to.equal(303);
    const audit = await launcher.firebreak(['audit']);
    expect(audit.stdout).to.contain('login locked');
  });

  it('stay locked for a server that is started then', async () => {
    const first = serving;
    serving = await startServing(launcher, '');
    try {
      expect((await logIn('bob')).status).to.equal(429);
      expect((await logIn('alice')).status).to.equal(303);
    } finally {
      await stopServing(serving);
      serving = first;
    }
  });
});

describe('the people whom a proxy names', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let serving: Serving;
  const proxyHeader = { name: 'X-Remote-User', roles: { alice: 'admin', bob: 'viewer' } };

  async function serve(trusted: readonly string[], header: object = proxyHeader): Promise<void> {
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      {
        serve: {
          trusted_proxies: trusted,
          page: { enabled: true, url: 'https://firebreak.example.org/', proxy_header: header },
        },
      },
    );
    serving = await startServing(launcher, '');
  }

  afterEach(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  const get = (headers: Record<string, string>) => serving.send('GET', '/account', { headers });
  const cookieOf = ({ headers }: { headers: Headers }): string => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';

  it('are logged in with the role that they have, by a session that counts with the header only', async () => {
    await serve(['127.0.0.1']);
    const first = await get({ 'x-remote-user': 'Alice' });
    expect(first.status).to.equal(200);
    expect(first.text).to.include('alice').and.include('admin');
    expect(first.headers.get('set-cookie')).to.match(
      /^__Host-firebreak=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    const cookie = cookieOf(first);
    const second = await get({ 'x-remote-user': 'alice', cookie });
    expect([second.status, second.headers.get('set-cookie')]).to.deep.equal([200, null]);
    expect((await get({ cookie })).status).to.equal(303);
    const other = await get({ 'x-remote-user': 'bob', cookie });
    expect(other.text).to.include('bob').and.include('viewer');
    expect(cookieOf(other)).to.not.equal(cookie);
    const [, csrf = ''] = /name="csrf" value="([\w-]+)"/.exec(second.text) ?? [];
    const freeze = (headers: Record<string, string>, token: string) =>
      serving.send('POST', '/freeze', { body: new URLSearchParams({ csrf: token, reason: 'x' }), headers });
    expect((await freeze({ 'x-remote-user': 'alice' }, csrf)).status).to.equal(403);
    expect((await freeze({ 'x-remote-user': 'alice', cookie }, csrf)).status).to.equal(303);
    const { stdout } = await launcher.firebreak(['audit', '--json']);
    expect(stdout).to.include('"via":"proxy"').and.include('alice, by web from 127.0.0.1');
  });

  it('are refused without a role, with two names, or with an odd one', async () => {
    await serve(['127.0.0.1']);
    for (const name of ['carol', 'alice, bob', 'alice;id', '../alice'])
      expect((await get({ 'x-remote-user': name })).status).to.equal(403);
    expect((await get({ 'x-remote-user': '' })).status).to.equal(303);
  });

  it('have the role of all others where one is given', async () => {
    await serve(['127.0.0.1'], { default_role: 'viewer' });
    expect((await get({ 'x-remote-user': 'carol@example.org' })).text).to.include('viewer');
  });

  it('are not believed if somebody else names them', async () => {
    await serve(['192.0.2.1']);
    expect((await get({ 'x-remote-user': 'alice' })).status).to.equal(303);
  });
});
