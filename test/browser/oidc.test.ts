import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { findBrowser, findObstacles, listenForErrors, startBrowser } from '../lab/browser.js';
import { startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';
import { startOidcProvider, type OidcProvider } from '../lab/oidc-provider.js';

describe('the login page with a provider of OpenID Connect, in a browser', function () {
  this.timeout(60_000);
  const executable = findBrowser();
  let browser: Browser;
  let launcher: Launcher;
  let serving: Serving;
  let provider: OidcProvider;

  before(async function () {
    if (executable === undefined) this.skip(); // blocks.test.ts says why
    provider = await startOidcProvider();
    provider.claims = { preferred_username: 'Alice', groups: ['soc-admins'] };
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    const secret = path.join(launcher.folder, 'secret');
    writeFileSync(secret, `${provider.clientSecret}\n`, { mode: 0o600 });
    const { issuer, clientId } = provider;
    const oidc = { issuer, client_id: clientId, client_secret_file: secret, roles: { 'soc-admins': 'admin' } };
    launcher.configure({ serve: { page: { enabled: true, url: 'http://127.0.0.1:8787/', oidc } } });
    serving = await startServing(launcher, '');
    browser = await startBrowser(executable);
  });

  after(async () => {
    if (executable === undefined) return;
    await browser.close();
    await stopServing(serving);
    await provider.stop();
    launcher.remove();
  });

  it('is accessible in light and dark, and fits 400 and 1,280 px', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [400, 1280]) {
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
        const tab = await context.newPage();
        const errors = listenForErrors(tab);
        await tab.goto(serving.url);
        await tab.getByRole('link', { name: 'Log in with' }).waitFor();
        const overflow = await tab.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect({ colorScheme, width, obstacles: await findObstacles(tab), overflow, errors }).to.deep.equal({
          ...{ colorScheme, width, obstacles: [], overflow: 0, errors: [] },
        });
        await context.close();
      }
    }
  });

  it('leads to the provider, and from there to the page that was wanted', async () => {
    const context = await browser.newContext();
    const tab = await context.newPage();
    // The provider returns people to the address of the configuration: that of a proxy before the server.
    await context.route('http://127.0.0.1:8787/**', (route) => {
      const { pathname, search } = new URL(route.request().url());
      return route.fulfill({ status: 303, headers: { location: `${serving.url}${pathname}${search}` } });
    });
    await tab.goto(`${serving.url}/firewalls`);
    await tab.getByRole('link', { name: 'Log in with' }).click();
    await tab.waitForURL(`${serving.url}/firewalls`);
    expect(await tab.getByRole('link', { name: 'alice' }).count()).to.equal(1);
    expect(await findObstacles(tab)).to.deep.equal([]);
    await context.close();
  });
});
