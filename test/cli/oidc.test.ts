import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startServing, stopServing, type Answered, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';
import { startOidcProvider, type OidcProvider } from '../lab/oidc-provider.js';

describe('people who log in by OpenID Connect', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let serving: Serving;
  let provider: OidcProvider;
  let usable: { serve: { page: { enabled: boolean; url: string; oidc: object } } };

  const password = 'correct horse battery';
  const usual = { preferred_username: 'Alice', groups: ['staff', 'soc-admins'] };

  before(async () => {
    provider = await startOidcProvider();
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      { ansible: { playbook_command: '/bin/false', warm: 0 }, log: { file: './firebreak.log' } },
    );
    const secret = path.join(launcher.folder, 'secret');
    writeFileSync(secret, `${provider.clientSecret}\n`, { mode: 0o600 });
    const oidc = {
      issuer: provider.issuer,
      client_id: provider.clientId,
      client_secret_file: secret,
      roles: { 'soc-admins': 'admin', soc: 'operator' },
    };
    usable = { serve: { page: { enabled: true, url: 'http://127.0.0.1:8787/', oidc } } };
    launcher.configure(usable);
    const file = path.join(launcher.folder, 'password');
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    await launcher.firebreak(['user', 'add', 'carol', '--role', 'viewer', '--password-file', file]);
    serving = await startServing(launcher, '');
  });

  beforeEach(() => {
    Object.assign(provider, { claims: usual, userInfo: {}, isForged: false });
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  const cookieOf = ({ headers }: Answered): string => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  /** Where the provider returns the browser to, as a path of our server. */
  const askProvider = async (location: string): Promise<string> => {
    const { headers } = await fetch(location, { redirect: 'manual' });
    const back = new URL(headers.get('location') ?? '');
    return `${back.pathname}${back.search}`;
  };
  const begin = async (next = '/firewalls?state=open'): Promise<{ cookie: string; back: string; first: Answered }> => {
    const first = await serving.get(`/login/oidc?next=${encodeURIComponent(next)}`);
    expect(first.status).to.equal(303);
    return { first, cookie: cookieOf(first), back: await askProvider(first.headers.get('location') ?? '') };
  };
  const logIn = async (next?: string): Promise<Answered> => {
    const { cookie, back } = await begin(next);
    return serving.get(back, { cookie });
  };

  it('are offered it beside the accounts of the server', async () => {
    const { text } = await serving.get('/login?next=/firewalls');
    expect(text).to.include(`Log in with ${provider.issuer.replace('http://', '')}`);
    expect(text).to.include('href="/login/oidc?next&#x3D;%2Ffirewalls"').and.to.include('name="password"');
  });

  it('come back with a session of their groups, and are led to the page that they wanted', async () => {
    const { first, cookie, back } = await begin();
    expect(first.headers.get('set-cookie')).to.match(
      /^firebreak-login=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
    );
    const { searchParams } = new URL(first.headers.get('location') ?? '');
    expect(searchParams.get('code_challenge_method')).to.equal('S256');
    expect(searchParams.get('redirect_uri')).to.equal('http://127.0.0.1:8787/login/oidc/callback');
    const reply = await serving.get(back, { cookie });
    expect(reply.status).to.equal(200);
    expect(reply.headers.get('refresh')).to.equal('0; url=/firewalls?state=open');
    expect(reply.headers.get('set-cookie')).to.match(/^firebreak=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const page = await serving.get('/account', { cookie: cookieOf(reply) });
    expect(page.text).to.include('alice').and.to.include('admin');
    const { stdout } = await launcher.firebreak(['audit', '--json']);
    expect(stdout).to.include('"via":"oidc"').and.to.include('alice, by web from 127.0.0.1');
  });

  it('may have a role by what only the user-info endpoint tells', async () => {
    provider.claims = {};
    provider.userInfo = { preferred_username: 'bob', groups: 'soc' };
    const reply = await logIn();
    expect((await serving.get('/account', { cookie: cookieOf(reply) })).text).to.include('operator');
  });

  it('do not act under the name of a local account', async () => {
    provider.claims = { ...usual, preferred_username: 'carol' };
    const { status, text, headers } = await logIn();
    expect(status).to.equal(403);
    expect(text).to.include('carol is an account of this server');
    expect(headers.get('set-cookie')).to.equal(null);
  });

  it('learn which groups would do if theirs do not', async () => {
    provider.claims = { ...usual, groups: ['staff'] };
    const { status, text, headers } = await logIn();
    expect(status).to.equal(403);
    expect(text).to.include('alice has no role here; groups that give one (serve.page.oidc.roles): soc-admins, soc');
    expect(headers.get('set-cookie')).to.equal(null);
  });

  it('are led to no other site', async () => {
    expect((await logIn('//evil.example')).headers.get('refresh')).to.equal('0; url=/');
    const { cookie, back } = await begin('/firewalls');
    const url = new URL(back, serving.url);
    const [mac] = (url.searchParams.get('state') ?? '').split('.');
    url.searchParams.set('state', `${mac}.${Buffer.from('/account').toString('base64url')}`);
    expect((await serving.get(`${url.pathname}${url.search}`, { cookie })).status).to.equal(502);
  });

  for (const [title, change] of [
    ['signed with another key', { isForged: true }],
    ['that has expired', { claims: { ...usual, exp: Math.floor(Date.now() / 1000) - 3600 } }],
    ['of another login', { claims: { ...usual, nonce: 'another' } }],
    ['for another client', { claims: { ...usual, aud: 'another' } }],
    ['of another provider', { claims: { ...usual, iss: 'https://evil.example' } }],
  ] as const) {
    it(`do not log in by a token ${title}`, async () => {
      Object.assign(provider, change);
      const { status, text, headers } = await logIn();
      expect(status).to.equal(502);
      expect(text).to.include('did not confirm this login').and.to.include('name="password"');
      expect(headers.get('set-cookie')).to.equal(null);
    });
  }

  it('do not log in by a name that is none', async () => {
    for (const preferred_username of ['', 'a b', '<script>', 5, undefined]) {
      provider.claims = { ...usual, preferred_username };
      expect((await logIn()).status).to.equal(403);
    }
  });

  it('do not log in by an answer to another browser, or twice by one', async () => {
    const mine = await begin();
    const other = await begin();
    expect((await serving.get(mine.back)).status).to.equal(403);
    expect((await serving.get(mine.back, { cookie: other.cookie })).status).to.equal(502);
    expect((await serving.get(other.back, { cookie: other.cookie })).status).to.equal(200);
    expect((await serving.get(other.back, { cookie: other.cookie })).status).to.equal(502);
    const refused = await serving.get('/login/oidc/callback?error=access_denied&state=x', { cookie: mine.cookie });
    expect(refused.status).to.equal(502);
  });

  it('leave no secret in the log', () => {
    const log = readFileSync(path.join(launcher.folder, 'firebreak.log'), 'utf8');
    expect(log).to.include('login failed');
    expect(log).not.to.match(/code=|client_secret|eyJ/);
  });

  it('need the address of the page, and a provider behind HTTPS', async () => {
    const oidc = { issuer: 'http://sso.example.org/', client_id: 'x', client_secret_file: 'secret' };
    launcher.configure({ serve: { page: { enabled: true, oidc } } });
    const { exit, stderr } = await launcher.firebreak(['config']);
    expect(exit).to.equal(2);
    expect(stderr).to.include('serve.page.oidc.issuer').and.to.include('expected https');
    launcher.configure({ serve: { page: { enabled: true, oidc: { ...oidc, issuer: 'https://sso.example.org/' } } } });
    expect((await launcher.firebreak(['config'])).stderr).to.include('needs serve.page.url');
    launcher.configure(usable);
  });

  describe('with a role for all', () => {
    before(async () => {
      await stopServing(serving);
      const { page } = usable.serve;
      launcher.configure({ serve: { page: { ...page, oidc: { ...page.oidc, default_role: 'viewer' } } } });
      serving = await startServing(launcher, '');
    });

    it('have that one, or a higher one of their groups', async () => {
      provider.claims = { preferred_username: 'dave' };
      expect((await serving.get('/account', { cookie: cookieOf(await logIn()) })).text).to.include('viewer');
      provider.claims = { preferred_username: 'erin', groups: ['soc'] };
      expect((await serving.get('/account', { cookie: cookieOf(await logIn()) })).text).to.include('operator');
    });
  });

  describe('while the provider is away', () => {
    before(async () => {
      await stopServing(serving);
      await provider.stop();
      serving = await startServing(launcher, '');
    });

    it('log in with a local account', async () => {
      const { status, text } = await serving.get('/login/oidc');
      expect(status).to.equal(502);
      expect(text).to.include('does not answer').and.to.include('name="password"');
      const body = new URLSearchParams({ name: 'carol', password, next: '/account' });
      const reply = await serving.send('POST', '/login', { body });
      expect([reply.status, reply.headers.get('location')]).to.deep.equal([303, '/account']);
      expect((await serving.get('/account', { cookie: cookieOf(reply) })).text).to.include('carol');
    });
  });
});
