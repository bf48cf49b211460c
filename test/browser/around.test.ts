import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Browser, BrowserContextOptions, Page as Tab } from 'playwright-core';
import { openLedger } from '#firebreak/ledger/index.js';
import type { App } from '#firebreak/runtime/app.js';
import { listen, type Listening } from '#firebreak/serve/http-server.js';
import { aroundPages } from '#firebreak/serve/page/around-pages.js';
import { assets } from '#firebreak/serve/page/assets.js';
import type { Page } from '#firebreak/serve/people/page-route.js';
import { makeRouter } from '#firebreak/serve/router.js';
import type { Route, Server } from '#firebreak/serve/route.js';
import { aConfig, aFlow, anAlarm } from '../fixtures.js';
import { findBrowser, findObstacles, listenForErrors, startBrowser } from '../lab/browser.js';

const hostile = `<img src=x onerror="document.title='canary'">{{canary}}"'><script>document.title='canary'</script>${'W'.repeat(150)}`;

const session = 'the hash of its secret';

/** The page as a visitor who has logged in gets it. */
const asVisitor = ({ method, path: where, handle }: Page): Route => ({
  ...{ method, path: where, summary: '', scope: null },
  handle: (call, server) =>
    handle(
      { ...call, form: new URLSearchParams(), visitor: { name: hostile, role: 'viewer', csrf: '', session } },
      server,
    ),
});

/** A server of these pages, with its own ledger; two of them may follow each other on one port. */
async function serve(folder: string, address: string) {
  const ledger = await openLedger({
    file: path.join(folder, 'ledger.db'),
    audit: { file: path.join(folder, 'audit.jsonl'), keyFile: path.join(folder, 'audit.key') },
  });
  await ledger.endWebSessions(hostile); // of the server before
  await ledger.addWebSession({
    ...{ hash: session, name: hostile, role: 'viewer', via: 'password', address: '127.0.0.1', forMs: 3_600_000 },
  });
  const stop = new AbortController();
  const app = {
    ...{ ledger, config: aConfig({ state_dir: folder }), host: 'lab', stop: stop.signal },
    openLog: () => Promise.resolve({ error: console.error, warn: console.error }), // eslint-disable-line no-console -- a failed request is to be seen
  } as unknown as App; // what pages use of it
  const server = { app, startedAt: 0 } as Server; // pages neither queue nor apply
  const listening: Listening = await listen(
    makeRouter([assets, ...aroundPages.map(asVisitor)], server).fetch,
    address,
    {
      config: app.config,
      warn: () => undefined,
    },
  );
  return {
    ledger,
    url: listening.url,
    close: async () => {
      stop.abort();
      await listening.close(4000);
      await ledger.close();
    },
  };
}

const limits = { perMinute: 1, active: 1 };
const recheckMs = 60_000;

const paths = ['/firewalls', '/timeline', '/timeline?span=month&kind=held', '/audit', '/observed'];

describe('the pages around the blocks, in a browser', function () {
  this.timeout(180_000);
  const executable = findBrowser();
  let browser: Browser;
  let folder: string;
  let serving: Awaited<ReturnType<typeof serve>>;

  before(async function () {
    if (executable === undefined) {
      console.warn('skipped: no chromium on this machine; sh scripts/setup.sh test installs it'); // eslint-disable-line no-console -- why nothing ran
      this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'pages-'));
    serving = await serve(folder, '127.0.0.1:0');
    const alarms = ['refused', 'observed', 'new', 'held', 'held too'].map((what, index) =>
      anAlarm(`A${index}`, {
        flow: aFlow({ source: `203.0.113.${index + 1}` }),
        description: hostile,
        ...(what === 'refused' && { refusal: hostile }),
        ...(what === 'observed' && { isObserved: true }),
      }),
    );
    for (const alarm of alarms) await serving.ledger.as(hostile).recordAlarms([alarm], { recheckMs, limits });
    await serving.ledger.freeze(hostile, hostile);
    browser = await startBrowser(executable);
  });

  after(async () => {
    if (executable === undefined) return;
    await browser.close();
    await serving.close();
    rmSync(folder, { recursive: true });
  });

  async function open(where: string, options: BrowserContextOptions = {}): Promise<Tab> {
    const context = await browser.newContext(options);
    const tab = await context.newPage();
    const response = await tab.goto(serving.url + where);
    expect(response?.status(), where).to.equal(200);
    return tab;
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [400, 800, 1280]) {
      it(`are accessible in ${colorScheme} at ${width} px, within their width, without an error`, async () => {
        for (const where of paths) {
          const tab = await open('/firewalls', { colorScheme, viewport: { width, height: 800 } });
          const errors = listenForErrors(tab);
          await tab.goto(serving.url + where);
          const overflow = await tab.evaluate(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          expect({ where, obstacles: await findObstacles(tab), overflow, errors }).to.deep.equal({
            ...{ where, obstacles: [], overflow: 0, errors: [] },
          });
          await tab.context().close();
        }
      });
    }
  }

  it('show hostile text as text, and run none of it', async () => {
    for (const where of paths) {
      const tab = await open(where);
      expect(await tab.title()).to.match(/ - Firebreak$/);
      expect(await tab.locator('img[src="x"]').count(), where).to.equal(0);
      expect(await tab.locator('body').innerText()).to.include('{{canary}}');
      await tab.context().close();
    }
  });

  it('are walked by j and k, and mark no row before', async () => {
    for (const where of ['/timeline?kind=held', '/audit']) {
      const tab = await open(where);
      const current = (): Promise<number> => tab.locator('tr.current').count();
      const index = (): Promise<unknown> =>
        tab.evaluate("[...document.querySelectorAll('tr[data-row]')].findIndex((row) => row.matches('.current'))");
      await tab.waitForLoadState('networkidle');
      expect(await current(), where).to.equal(0);
      const seen: unknown[] = [];
      for (const key of ['j', 'j', 'k']) {
        await tab.keyboard.press(key);
        seen.push(await index());
      }
      expect(seen, where).to.deep.equal([0, 1, 0]);
      expect(await current(), where).to.equal(1);
      await tab.context().close();
    }
  });

  it('can be read without script', async () => {
    const tab = await open('/timeline?kind=held', { javaScriptEnabled: false });
    expect(await tab.locator('tbody tr').count()).to.be.greaterThan(0);
    await tab.locator('select[name=kind]').selectOption('refused');
    await tab.getByRole('button', { name: 'Filter' }).click();
    expect(await tab.locator('tbody tr').count()).to.equal(1);
    await tab.context().close();
  });

  it('are refreshed when the ledger changes, and after a restart of the server', async () => {
    const tab = await open('/timeline');
    const source = (text: string) => tab.locator('td.addr', { hasText: text });
    const refuse = (id: string, address: string) =>
      serving.ledger.recordAlarms([anAlarm(id, { flow: aFlow({ source: address }), refusal: 'x' })], { recheckMs });
    await refuse('B1', '198.51.100.1');
    await source('198.51.100.1').waitFor({ timeout: 60_000 });
    const { host } = new URL(serving.url);
    await serving.close();
    serving = await serve(folder, host);
    await refuse('B2', '198.51.100.2');
    await source('198.51.100.2').waitFor({ timeout: 60_000 });
    await tab.context().close();
  });
});
