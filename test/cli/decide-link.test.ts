import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';
import { readMessages } from '../lab/messages.js';

const url = 'https://firebreak.example.org/';
const mail = { host: '127.0.0.1', port: 9, from: 'firebreak@example.org', to: ['soc@example.org'] };
const hooks = { url: 'https://127.0.0.1:9/', on: ['held'] };
const frozen = 'no run disturbs what this shows';

describe('a link in a message', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let serving: Serving | undefined;

  beforeEach(() => {
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      {
        ...{ mail, webhook: hooks, policy: { limits: { per_minute: 1 } } },
        serve: { page: { enabled: true, url } },
      },
    );
  });

  afterEach(async () => {
    if (serving !== undefined) await stopServing(serving);
    serving = undefined;
    launcher.remove();
  });

  const block = (port: number) =>
    launcher.firebreak(['block', '203.0.113.7', '192.168.1.10', String(port), '--no-wait', '--json']);

  /** Two blocks: the second is held. Gives the paths of the links that were sent about it, by channel. */
  async function hold(): Promise<Record<string, string>> {
    await launcher.firebreak(['freeze', frozen]);
    for (const port of [22, 443]) await block(port);
    const messages = readMessages(path.join(launcher.stateDir, 'ledger.db'));
    return Object.fromEntries(
      messages.map(({ kind, content }) => {
        const [link = ''] = /https:\/\/firebreak\.example\.org\/decide\/[\w-]{43}/.exec(JSON.stringify(content)) ?? [];
        return [kind, new URL(link).pathname];
      }),
    );
  }

  async function states(): Promise<Record<string, string>> {
    const { stdout } = await launcher.firebreak(['list', '--state', 'all', '--json']);
    const { blocks } = JSON.parse(stdout) as { blocks: { port: string; state: string }[] };
    return Object.fromEntries(blocks.map(({ port, state }) => [port, state]));
  }

  const serve = async (): Promise<Serving> => (serving = await startServing(launcher, ''));
  const send = (server: Serving, link: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    server.send('POST', link, { body: new URLSearchParams(form), headers });

  it('asks, and decides by the form alone: once, without a login, in the name of its recipients', async () => {
    const links = await hold();
    const { mail: link = '', webhook = '' } = links;
    expect(link).to.not.equal(webhook);
    const server = await serve();
    for (let at = 0; at < 20; at += 1) {
      for (const method of ['GET', 'HEAD']) expect((await server.send(method, link)).status).to.equal(200);
    }
    const page = await server.get(link);
    expect(page.text).to.include('Approve or reject 1 held block').and.include('203.0.113.7').and.include('443');
    expect(page.headers.get('referrer-policy')).to.equal('no-referrer');
    expect(page.headers.get('cache-control')).to.equal('no-store');
    expect(await states()).to.deep.equal({ 22: 'pending', 443: 'held' });
    const decided = await send(server, link, { decision: 'reject', reason: 'our own scanner' });
    expect([decided.status, decided.text.includes('Rejected: 1 block')]).to.deep.equal([200, true]);
    expect(await states()).to.deep.equal({ 22: 'pending', 443: 'refused' });
    expect((await send(server, link, { decision: 'approve' })).status).to.equal(404);
    expect((await server.get(link)).text).to.include('this link was used, has expired, or never was');
    const late = await send(server, webhook, { decision: 'approve' });
    expect(late.text).to.include('Approved: 0 blocks');
    expect(await states()).to.deep.equal({ 22: 'pending', 443: 'refused' });
    const { stdout } = await launcher.firebreak(['audit', '--json']);
    expect(stdout)
      .to.include('the link sent by mail to soc@example.org, from 127.0.0.1')
      .and.include('our own scanner');
  });

  it('approves what is held', async () => {
    const { webhook = '' } = await hold();
    const decided = await send(await serve(), webhook, { decision: 'approve' });
    expect(decided.text).to.include('Approved: 1 block');
    expect(await states()).to.deep.equal({ 22: 'pending', 443: 'pending' });
  });

  it('is not taken from another site, nor guessed, and an odd form does not use it up', async () => {
    const { mail: link = '' } = await hold();
    const server = await serve();
    const refused = [
      await send(server, link, { decision: 'approve' }, { origin: 'https://evil.example' }),
      await send(server, link, { decision: 'allow' }),
      await send(server, `/decide/${'x'.repeat(43)}`, { decision: 'approve' }),
    ];
    expect(refused.map(({ status }) => status)).to.deep.equal([403, 400, 404]);
    expect(await states()).to.deep.equal({ 22: 'pending', 443: 'held' });
    expect((await send(server, link, { decision: 'approve' })).status).to.equal(200);
  });

  it('is in no log and no audit log, and only its hash is among the links', async () => {
    const { mail: link = '' } = await hold();
    const server = await serve();
    await server.get(link);
    await send(server, link, { decision: 'approve' });
    const secret = link.slice('/decide/'.length);
    const files = readdirSync(launcher.stateDir, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.startsWith('ledger.db'), // the message itself waits in its outbox
    );
    const found = files.filter((entry) =>
      readFileSync(path.join(entry.parentPath, entry.name), 'utf8').includes(secret),
    );
    expect(files.length).to.be.greaterThan(0);
    expect(found).to.deep.equal([]);
    expect((await launcher.firebreak(['audit', '--json'])).stdout).to.not.include(secret);
  });

  it('is not sent where people cannot reach the page', async () => {
    launcher.configure({ serve: { page: { enabled: true } } });
    await launcher.firebreak(['freeze', frozen]);
    for (const port of [22, 443]) await block(port);
    const messages = readMessages(path.join(launcher.stateDir, 'ledger.db'));
    expect(messages).to.have.length(2);
    expect(JSON.stringify(messages)).to.not.include('/decide/');
  });
});
