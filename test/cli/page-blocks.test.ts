import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { openLedger } from '#firebreak/app/context.js';
import { readLastEntries } from '#firebreak/app/verify-audit.js';
import type { App } from '#firebreak/runtime/app.js';
import { explainAsPage } from '#firebreak/serve/people/open-page.js';
import type { PageCall, Role } from '#firebreak/serve/people/page-route.js';
import { blockPages } from '#firebreak/serve/page/block-pages.js';
import type { Reply, Server } from '#firebreak/serve/route.js';
import { aConfig, aFlow, anAlarm } from '../fixtures.js';

const hostile = '"><script>window.canary=1</script>{{7*7}}';

/** The pages with a real ledger, and an applier that only records what it is to apply. */
describe('the pages of blocks', function () {
  this.timeout(120_000);
  let folder: string;
  let app: App;
  let kicked: string[];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'page-'));
    const config = aConfig({ state_dir: folder });
    const openLog = (): Promise<never> => Promise.reject(new Error('nothing is logged here'));
    const ledger = await openLedger({ config, actor: 'alice, by web', openLog });
    kicked = [];
    app = { config, ledger, actor: 'alice, by web', warn: () => undefined, openLog } as unknown as App; // all that is used
  });

  afterEach(async () => {
    await app.ledger.close();
    rmSync(folder, { recursive: true });
  });

  const record = async (last: number, description = 'a test', perMinute = 1000): Promise<string> => {
    const alarm = anAlarm(`A${last}`, { flow: aFlow({ source: `203.0.113.${last}` }), description });
    const limits = { perMinute, active: 1000 };
    const { blocks } = await app.ledger.recordAlarms([alarm], { recheckMs: 60_000, limits });
    return blocks[0]?.[0]?.id ?? '';
  };

  /** As a run leaves it. */
  const prove = (id: string): void => {
    const database = new DatabaseSync(path.join(folder, 'ledger.db'));
    database.prepare("UPDATE block SET state = 'active', carried = 1, tried = 1, due_at = NULL WHERE id = ?").run(id);
    database.close();
  };

  const ask = (method: string, pathname: string, more: { form?: string; query?: string; role?: Role } = {}) => {
    const [, id] = /^\/blocks\/([^/]+)/.exec(pathname) ?? [];
    const pattern = id === undefined ? pathname : pathname.replace(id, '{id}');
    const page = blockPages.find((each) => each.method === method && each.path === pattern);
    if (page === undefined) throw new Error(`there is no page ${method} ${pattern}`);
    const call: PageCall = {
      params: id === undefined ? {} : { id },
      query: new URLSearchParams(more.query),
      form: new URLSearchParams(more.form),
      headers: new Headers(),
      visitor: { name: 'alice', role: more.role ?? 'admin', csrf: 'secret', session: '' },
      address: '192.0.2.7',
      app,
    };
    const server = { app, applier: { kick: (names: Iterable<string>) => void kicked.push(...names) } };
    return page
      .handle(call, server as unknown as Server) // all that is used
      .catch((error: unknown) => explainAsPage(error, app, call.visitor)); // as the router does
  };

  const stateOf = async (id: string): Promise<string | undefined> =>
    (await app.ledger.findBlocks({ ids: [id] }))[0]?.state;
  const textOf = ({ body }: Reply): string => (typeof body === 'string' ? body : '');

  it('lists, searches and pages by text, address and network', async () => {
    await record(1, 'SSH brute force');
    await record(2, 'a port scan');
    for (const [query, found] of [
      ['', [true, true]],
      ['q=BRUTE', [true, false]],
      ['q=203.0.113.2', [false, true]],
      ['q=203.0.113.0/31', [true, false]],
      ['q=192.168.1.10&sort=end', [true, true]],
      ['state=held', [false, false]],
    ] as const) {
      const text = textOf(await ask('GET', '/', { query }));
      expect([text.includes('>203.0.113.1<'), text.includes('>203.0.113.2<')], query).to.deep.equal(found);
    }
  });

  it('escapes every text, and sends the policy with each page', async () => {
    const id = await record(1, hostile);
    await app.ledger.amend(id, { comment: hostile });
    for (const reply of [
      await ask('GET', '/', { query: new URLSearchParams({ q: hostile }).toString() }),
      await ask('GET', '/'),
      await ask('GET', `/blocks/${id}`),
      await ask('POST', '/blocks', { form: `action=unblock&id=${id}` }),
    ]) {
      expect(textOf(reply)).not.to.include('<script>window');
      expect(textOf(reply)).to.include('&lt;script&gt;window.canary');
      expect(reply.headers?.['Content-Security-Policy']).to.match(/^default-src 'none';/);
    }
  });

  it('releases a block in the background, with the person and the reason in the audit', async () => {
    const id = await record(1);
    prove(id);
    const reply = await ask('POST', `/blocks/${id}/unblock`, { form: 'reason=a+mistake' });
    expect(reply).to.deep.include({ status: 303 });
    expect(reply.headers?.['Location']).to.equal(`/blocks/${id}?done=unblock&count=1`);
    expect(kicked).to.deep.equal(['edge']);
    expect(await stateOf(id)).to.equal('releasing');
    const [entry] = await readLastEntries(1, [], app);
    expect(entry).to.include({ event: 'release', block: id, by: 'alice, by web' });
    expect(entry?.['reason']).to.include('a mistake');
    const shown = textOf(await ask('GET', `/blocks/${id}`, { query: 'done=unblock&count=1' }));
    expect(shown).to.include('Release requested: 1 block.').and.include('releasing');
  });

  it('extends, comments and allows', async () => {
    const id = await record(1);
    prove(id);
    await app.ledger.amend(id, { expiresAt: (await app.ledger.now()) + 60_000 });
    expect((await ask('POST', `/blocks/${id}/extend`, { form: 'duration=7d' })).status).to.equal(303);
    expect((await ask('POST', `/blocks/${id}/extend`, { form: 'duration=1m' })).status).to.equal(400);
    await ask('POST', `/blocks/${id}/comment`, { form: 'comment=ask+Maria' });
    expect((await app.ledger.findBlocks({ ids: [id] }))[0]?.comment).to.equal('ask Maria');
    expect((await ask('POST', `/blocks/${id}/allow`, { form: 'reason=' })).status).to.equal(400);
    await ask('POST', `/blocks/${id}/allow`, { form: 'reason=our+scanner' });
    expect(await app.ledger.findAllowances()).to.have.length(1);
    expect(await stateOf(id)).to.equal('releasing');
  });

  it('decides on all that match only after it was confirmed, and on what was shown', async () => {
    const held = [await record(1, 'x', 0), await record(2, 'x', 0)];
    expect(await stateOf(held[0] ?? '')).to.equal('held');
    const other = await record(3);
    const asked = textOf(await ask('POST', '/blocks', { form: 'action=approve&all=1' }));
    expect(asked).to.include('Approve: 2 blocks').and.include('1 selected block not in such a state');
    expect(await stateOf(held[0] ?? '')).to.equal('held');
    const [, until = ''] = /name="until" value="(\d+)"/.exec(asked) ?? [];
    const reply = await ask('POST', '/blocks', { form: `action=approve&all=1&confirm=1&until=${until}&state=held` });
    expect(reply.headers?.['Location']).to.equal('/?state=held&done=approve&count=2');
    expect(await Promise.all([...held, other].map(stateOf))).to.deep.equal(['pending', 'pending', 'pending']);
  });

  it('answers 404 for an unknown id, and 400 for an unknown action', async () => {
    expect((await ask('GET', '/blocks/01UNKNOWN')).status).to.equal(404);
    expect((await ask('GET', '/blocks/203.0.113.7')).status).to.equal(404);
    expect((await ask('POST', '/blocks', { form: 'action=allow' })).status).to.equal(400);
  });

  it('requires an operator to decide and an administrator to allow and to freeze, and shows others no form of it', async () => {
    const roles = Object.fromEntries(blockPages.map(({ method, path: name, role }) => [`${method} ${name}`, role]));
    expect(roles).to.include({ 'GET /': 'viewer', 'POST /blocks': 'operator', 'POST /freeze': 'admin' });
    expect(roles).to.include({ 'POST /blocks/{id}/unblock': 'operator', 'POST /blocks/{id}/allow': 'admin' });
    const id = await record(1);
    expect(textOf(await ask('GET', `/blocks/${id}`, { role: 'viewer' }))).not.to.include(`/blocks/${id}/`);
    expect(textOf(await ask('GET', `/blocks/${id}`, { role: 'operator' }))).not.to.include(`/blocks/${id}/allow`);
  });

  it('freezes with a banner that says who, and resumes', async () => {
    await ask('POST', '/freeze', { form: 'reason=maintenance' });
    expect(textOf(await ask('GET', '/'))).to.match(
      /Frozen\.<\/b> All changes have been frozen since .* by alice, by web/,
    );
    await ask('POST', '/unfreeze');
    expect(await app.ledger.findFreeze()).to.equal(undefined);
  });
});
