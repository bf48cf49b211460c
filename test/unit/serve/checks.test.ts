import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parseAddress, type Address } from '#firebreak/core/address.js';
import { authenticate, type Credentials, type Requirement } from '#firebreak/serve/authenticate.js';
import { findClient } from '#firebreak/serve/client-address.js';
import { HttpError } from '#firebreak/serve/http-error.js';
import { makeRateLimit } from '#firebreak/serve/rate-limit.js';
import { aConfig } from '../../fixtures.js';

const network = (text: string): Address => {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.address;
};

describe("the caller's address", () => {
  const proxies = [network('127.0.0.1'), network('10.0.0.0/8')];

  for (const [what, peer, forwarded, client] of [
    ['is the peer without a header', '::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['is not what a stranger claims', '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['is what a proxy saw', '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['is not what the caller claims to the proxy', '127.0.0.1', '203.0.113.9, 198.51.100.1', '198.51.100.1'],
    ['is found behind two proxies', '127.0.0.1', '198.51.100.1, 10.1.1.1', '198.51.100.1'],
    ['is the proxy if the header is none', '127.0.0.1', 'x, ;', '127.0.0.1'],
  ] as const) {
    it(what, () => expect(findClient(peer, forwarded, proxies)).to.equal(client));
  }
});

describe('a rate limit', () => {
  it('lets twice the rate pass at once, then the rate, for each caller', () => {
    let now = 0;
    const limit = makeRateLimit(10, () => now);
    const take = (caller: string) => Array.from({ length: 25 }, () => limit.take(caller)).filter((wait) => wait === 0);
    expect([take('a').length, take('b').length]).to.deep.equal([20, 20]);
    now = 500;
    expect(take('a').length).to.equal(5);
    expect(limit.take('a')).to.be.greaterThan(0);
  });
});

describe('a signature', () => {
  let folder: string;
  const body = Buffer.from('{"a": 1}');

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'h-'));
    writeFileSync(path.join(folder, 'secret'), 'hush\n');
  });

  after(() => rmSync(folder, { recursive: true }));

  async function check(settings: object, headers: Record<string, string>): Promise<string> {
    const secret_file = path.join(folder, 'secret');
    const { serve } = aConfig({ serve: { sources: { own: { auth: { hmac: { secret_file, ...settings } } } } } });
    const credentials: Credentials = {
      headers: new Headers(headers),
      url: new URL('http://x/'),
      address: '192.0.2.1',
      certificate: undefined,
      readBody: () => Promise.resolve(body),
    };
    const requirement: Requirement = { scope: 'alarm', source: { name: 'own', auth: serve.sources['own']!.auth } };
    try {
      return (await authenticate(credentials, requirement, { findToken: () => Promise.resolve(undefined) })).name;
    } catch (error) {
      return error instanceof HttpError ? String(error.status) : String(error);
    }
  }

  const sign = (text: string | Buffer, encoding: 'hex' | 'base64' = 'hex', algorithm = 'sha256'): string =>
    createHmac(algorithm, 'hush').update(text).digest(encoding);

  it('of the body is accepted, with and without a prefix', async () => {
    expect(await check({}, { 'x-signature': sign(body) })).to.equal('signature of own');
    expect(await check({}, { 'x-signature': `sha256=${sign(body)}` })).to.equal('signature of own');
    const settings = { header: 'X-Hub', algorithm: 'sha512', encoding: 'base64' };
    expect(await check(settings, { 'x-hub': sign(body, 'base64', 'sha512') })).to.equal('signature of own');
  });

  it('of anything else is not', async () => {
    for (const signature of ['', 'x', sign('other'), sign(body).slice(2), sign(body, 'base64')]) {
      expect(await check({}, { 'x-signature': signature })).to.equal('401');
    }
    expect(await check({}, {})).to.equal('401');
  });

  it('counts only near the time that it signs', async () => {
    const settings = { timestamp_header: 'X-Time' };
    const at = (time: string) => ({
      'x-time': time,
      'x-signature': sign(Buffer.concat([Buffer.from(`${time}.`), body])),
    });
    const now = Math.round(Date.now() / 1000);
    expect(await check(settings, at(String(now)))).to.equal('signature of own');
    for (const time of [String(now - 600), String(now + 600), 'x', '']) {
      expect(await check(settings, at(time))).to.equal('401');
    }
    expect(await check(settings, { 'x-signature': sign(body) })).to.equal('401');
  });
});
