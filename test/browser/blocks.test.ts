import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Browser, BrowserContextOptions, Page as Tab } from 'playwright-core';
import { findBrowser, findObstacles, listenForErrors, startBrowser } from '../lab/browser.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';

const password = 'correct horse battery';
const hostile = `<img src=x onerror="document.title='canary'">{{canary}}`;

describe('the pages of blocks, in a browser, with a real server', function () {
  this.timeout(180_000);
  const executable = findBrowser();
  let browser: Browser;
  let edge: Firewall;
  let launcher: Launcher;
  let serving: Serving;
  let sources = 0;

  before(async function () {
    if (executable === undefined) {
      console.warn('skipped: no chromium on this machine; sh scripts/setup.sh test installs it'); // eslint-disable-line no-console -- why nothing ran
      this.skip();
    }
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, { serve: { page: { enabled: true } } });
    const file = path.join(launcher.folder, 'password');
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    for (const [name, role] of [
      ['alice', 'admin'],
      ['bob', 'viewer'],
    ] as const) {
      await launcher.firebreak(['user', 'add', name, '--role', role, '--password-file', file]);
    }
    serving = await startServing(launcher, '');
    browser = await startBrowser(executable);
  });

  after(async () => {
    if (executable === undefined) return;
    await browser.close();
    await stopServing(serving);
    launcher.remove();
    await edge.stop();
  });

  /** A tab in which this person has logged in by the form. */
  async function logIn(name: string, options: BrowserContextOptions = {}): Promise<Tab> {
    const tab = await (await browser.newContext(options)).newPage();
    await tab.goto(serving.url);
    await tab.locator('input[name=name]').fill(name);
    await tab.locator('input[name=password]').fill(password);
    await tab.getByRole('button', { name: 'Log in' }).click();
    await tab.locator('#q').waitFor();
    return tab;
  }

  /** A block that is in force. */
  async function block(): Promise<string> {
    const source = `203.0.113.${(sources += 1)}`;
    const { exit, answer } = await launcher.json(['block', source, '192.168.1.10', '22']);
    expect({ exit, state: answer.state }).to.deep.equal({ exit: 0, state: 'active' });
    return source;
  }

  const expectReleased = (source: string): Promise<void> =>
    waitUntil(`pf no longer blocks ${source}`, async () =>
      (await edge.loadedRules()).every((rule) => !rule.includes(` from ${source} to`)),
    );

  it('release a block in three clicks, and the audit log names the person', async () => {
    const source = await block();
    const tab = await logIn('alice');
    await tab.getByRole('link', { name: source, exact: true }).click();
    await tab.locator('summary', { hasText: 'Unblock' }).click();
    await tab.getByRole('button', { name: 'Unblock' }).click();
    await tab.getByText('Release requested: 1 block.').waitFor();
    await expectReleased(source);
    expect((await launcher.firebreak(['audit'])).stdout).to.match(/alice, by web from 127\.0\.0\.1/);
    await tab.context().close();
  });

  it('follow the ledger while they are open, but not while rows are selected', async () => {
    const first = await block();
    const tab = await logIn('alice');
    const row = (source: string) => tab.getByRole('link', { name: source, exact: true });
    await tab.keyboard.press('j');
    const second = await block();
    await row(second).waitFor({ timeout: 60_000 });
    expect(await tab.evaluate("document.querySelector('tr.current a') === document.activeElement")).to.equal(true);
    expect(await tab.locator('tr.current').innerText()).to.include(first);
    await tab.getByLabel(`Select ${first}`).check();
    await launcher.firebreak(['unblock', second]);
    await tab.waitForTimeout(4000);
    expect(await row(second).count()).to.equal(1);
    await tab.getByLabel(`Select ${first}`).uncheck();
    await launcher.firebreak(['comment', first, 'a note']);
    await row(second).waitFor({ state: 'detached', timeout: 60_000 });
    await tab.context().close();
  });

  it('go to the login when the session ends while they are open, and come back from there', async () => {
    const source = await block();
    const tab = await logIn('bob');
    await tab.goto(`${serving.url}/?q=${source}`);
    await launcher.firebreak(['user', 'role', 'bob', 'viewer']);
    await tab.waitForURL('**/login?next=*', { timeout: 60_000 });
    await tab.locator('input[name=name]').fill('bob');
    await tab.locator('input[name=password]').fill(password);
    await tab.getByRole('button', { name: 'Log in' }).click();
    await tab.waitForURL(`${serving.url}/?q=${source}`);
    await tab.context().close();
  });

  it('find and release one by the keyboard alone', async () => {
    const [source, other] = [await block(), await block()];
    const tab = await logIn('alice');
    const { keyboard } = tab;
    await keyboard.press('/');
    await keyboard.type(source);
    await keyboard.press('Enter');
    await tab.getByRole('link', { name: other, exact: true }).waitFor({ state: 'detached' });
    await keyboard.press('j');
    await keyboard.press('Enter');
    await tab.locator('summary', { hasText: 'Unblock' }).waitFor();
    const isFocused = (selector: string) => tab.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`);
    for (let tabs = 0; !(await isFocused('#unblock > summary')); tabs += 1) {
      expect(tabs).to.be.lessThan(30);
      await keyboard.press('Tab');
    }
    await keyboard.press('Enter');
    for (let tabs = 0; !(await isFocused('#unblock button')); tabs += 1) {
      expect(tabs).to.be.lessThan(5);
      await keyboard.press('Tab');
    }
    await keyboard.press('Enter');
    await tab.getByText('Release requested: 1 block.').waitFor();
    await expectReleased(source);
    expect((await edge.loadedRules()).some((rule) => rule.includes(` from ${other} to`))).to.equal(true);
    await tab.context().close();
  });

  it('release all that match, without script, after a page that asks', async () => {
    const source = await block();
    const tab = await logIn('alice', { javaScriptEnabled: false });
    await tab.locator('#q').fill(source);
    await tab.getByRole('button', { name: 'Search' }).click();
    await tab.locator('input[name=all]').check();
    await tab.getByRole('button', { name: 'Unblock' }).click();
    await tab.getByRole('heading', { name: 'Unblock: 1 block' }).waitFor();
    await tab.getByRole('button', { name: 'Unblock 1 block' }).click();
    await tab.getByText('Release requested: 1 block.').waitFor();
    await expectReleased(source);
    await tab.context().close();
  });

  it('offer a viewer nothing to do, and refuse it', async () => {
    const source = await block();
    const tab = await logIn('bob');
    expect(await tab.locator('button', { hasText: /Unblock|Freeze/ }).count()).to.equal(0);
    await tab.getByRole('link', { name: source, exact: true }).click();
    await tab.getByRole('heading', { name: source }).waitFor();
    expect(await tab.locator('details form').count()).to.equal(0);
    const csrf = await tab.locator('form[action="/logout"] input[name=csrf]').getAttribute('value');
    const reply = await tab.request.post(`${tab.url()}/unblock`, { form: { csrf: csrf ?? '' } });
    expect(reply.status()).to.equal(403);
    await tab.context().close();
  });

  it('move nothing for people who want less motion', async () => {
    for (const [reducedMotion, animation] of [
      ['reduce', 'none'],
      ['no-preference', 'turn'],
    ] as const) {
      const tab = await logIn('alice', { reducedMotion });
      const name = await tab.evaluate(`(() => {
        const mark = document.createElement('span');
        mark.className = 'state moving';
        document.querySelector('main').append(mark);
        return getComputedStyle(mark, '::before').animationName;
      })()`);
      expect(name).to.equal(animation);
      await tab.context().close();
    }
  });

  it('show hostile text as text, are accessible in light and dark, and fit 400 and 1,280 px', async () => {
    const source = await block();
    await launcher.firebreak(['comment', source, hostile]);
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [400, 1280]) {
        const tab = await logIn('alice', { colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' });
        const errors = listenForErrors(tab);
        const href = await tab.getByRole('link', { name: source, exact: true }).getAttribute('href');
        for (const where of ['/', href ?? '', '/account', '/?q=nothing']) {
          await tab.goto(serving.url + where);
          const overflow = await tab.evaluate(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          const seen = { obstacles: await findObstacles(tab), overflow, errors };
          expect({ where, colorScheme, width, ...seen }).to.deep.equal({
            ...{ where, colorScheme, width, obstacles: [], overflow: 0, errors: [] },
          });
          expect(await tab.title()).to.not.include('canary');
        }
        expect(await tab.locator('img[src="x"]').count()).to.equal(0);
        await tab.context().close();
      }
    }
    const visitor = await (await browser.newContext()).newPage();
    await visitor.goto(serving.url);
    expect(await findObstacles(visitor)).to.deep.equal([]);
    await visitor.context().close();
  });
});
