import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import fc from 'fast-check';
import { expect } from 'chai';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

/** How many requests are sent, of each kind. */
const cases = Number(process.env['FIREBREAK_FUZZ_CASES'] ?? 3000);
const atOnce = 16;
const canary = 'fbt_CANARY7d1f';

const keys = ['src_ip', 'dst_ip', 'dst_port', 'protocol', 'duration', 'event_id', '__proto__', 'constructor', 'x', ''];
const values = [
  ...[
    '203.0.113.7',
    '::1',
    '0.0.0.0',
    '::ffff:203.0.113.7',
    '203.0.113.0/24',
    '22',
    '-1',
    '1e9',
    'tcp',
    '$(id)',
    "';--",
  ],
  ...['{{ 7*7 }}', '<rule>', '\u0000', '\ud800', 'x'.repeat(5000), 'forever', '10s', '../../etc/passwd', 'a b'],
];
const leaf = fc.oneof(fc.constantFrom(...values), fc.string(), fc.double(), fc.boolean(), fc.constant(null));
const { tree } = fc.letrec<{ tree: unknown; node: unknown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: false }, leaf, tie('node')),
  node: fc.oneof(
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), tie('tree'), { maxKeys: 6 }),
  ),
}));
const alarm = fc.dictionary(fc.constantFrom(...keys), leaf, { maxKeys: 6 });
const body = fc.oneof(
  tree.map((each) => JSON.stringify(each)),
  alarm.map((each) => JSON.stringify(each)),
  fc.array(alarm, { maxLength: 5 }).map((each) => JSON.stringify(each)),
  fc.string(),
  fc.constantFrom('', '{', 'null', '[]', '[[]]', '['.repeat(5000), '{"a":1}{"a":2}', '\u{feff}{}', '"\\ud800"'),
);
const source = fc.constantFrom(
  'generic',
  'wazuh',
  'graylog',
  'elastic',
  'splunk',
  'suricata',
  'thehive',
  'alertmanager',
  'own',
  'none',
  '%2e%2e',
  '%ff',
);
const place = fc.oneof(
  source.map((name) => `/api/v1/alarms/${name}`),
  fc.constantFrom(
    '/openc2',
    '/api/v1/blocks',
    '/api/v1/blocks/x/extend',
    '/api/v1/blocks/%00/comment',
    '/lists/..%2fx',
    '/',
  ),
);
const query = fc.oneof(
  fc.constantFrom(
    '',
    `?token=${canary}`,
    '?wait=',
    '?wait=0s',
    '?wait=1ms',
    '?limit=-1',
    '?state=%00',
    '?source=%ff&after=x',
    '?since=x',
  ),
  fc.string().map((text) => `?${encodeURIComponent(text)}`),
);
const header = fc.constantFrom<Record<string, string>>(
  {},
  { 'content-type': 'text/xml' },
  { 'content-type': 'application/openc2+json' },
  { 'content-encoding': 'br' },
  { 'idempotency-key': 'k' },
  { 'idempotency-key': 'k'.repeat(300) },
  { 'x-signature': canary },
  { 'x-signature': `sha256=${canary}`, 'x-forwarded-for': '203.0.113.1, , x' },
  { authorization: `Bearer ${canary}` },
  { authorization: `Basic ${Buffer.from(`a:${canary}`).toString('base64')}` },
  { authorization: 'Bearer' },
  { 'if-none-match': '*' },
);
const request = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'DELETE', 'PUT'),
  place,
  query,
  header,
  body,
});

describe('firebreak serve, under hostile requests', function () {
  this.timeout(600_000);
  let launcher: Launcher;
  let serving: Serving;
  let token: string;
  const log = (): string => {
    const file = path.join(launcher.folder, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  before(async () => {
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      { ansible: { playbook_command: '/bin/false', warm: 0 }, log: { file: 'log', level: 'debug' } },
    );
    writeFileSync(path.join(launcher.folder, 'hush'), `${canary}-hmac`, { mode: 0o600 });
    const own = {
      fields: { src_ip: 'a.0.b', dst_ip: ['c', { value: '192.168.1.10' }] },
      when: ['d != 1'],
      auth: { hmac: { secret_file: 'hush' } },
    };
    launcher.configure({
      serve: { per_second: 1_000_000, sources: { own, splunk: { preset: 'splunk', auth: { token: 'url' } } } },
    });
    token = await makeToken(launcher, 'siem', '--scope', 'operate');
    serving = await startServing(launcher, token);
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  it(`answers ${cases} requests without an unexpected error, and repeats no secret`, async () => {
    const requests = fc.sample(request, { numRuns: cases, seed: 20_261_130 });
    const bad: string[] = [];
    const work = async (): Promise<void> => {
      for (let each = requests.pop(); each !== undefined; each = requests.pop()) {
        const { method, header: headers, body: text } = each;
        const options = {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          ...(method !== 'GET' && { body: text }),
        };
        const { status, text: answer } = await serving.send(method, each.place + each.query, options);
        if (status === 500 || status === 503 || answer.includes('CANARY') || answer.includes(token))
          bad.push(`${status} ${answer}: ${JSON.stringify(each)}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    expect(bad.slice(0, 5)).to.deep.equal([]);
    expect((await serving.get('/readyz')).status).to.equal(200);
    expect(log()).not.to.include('CANARY').and.not.include(token);
    expect(log()).not.to.include('http failed');
  });

  it('survives what is not HTTP, and connections that say nothing', async () => {
    const { hostname, port } = new URL(serving.url);
    const send = async (text: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.end(text));
        socket
          .on('error', () => undefined)
          .on('data', () => undefined)
          .once('close', () => resolve());
      });
    const idle = Array.from({ length: 200 }, () => connect(Number(port), hostname).on('error', () => undefined));
    for (const text of [
      ...[
        '\0\0\0\0',
        'GET',
        'GET / HTTP/9.9\r\n\r\n',
        'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
        '\x16\x03\x01\x02',
      ],
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`,
      'POST /api/v1/alarms/generic HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n',
      `POST /openc2 HTTP/1.1\r\nHost: [::1\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\n\r\n{}`,
      'GET //////// HTTP/1.1\r\nHost: a b\r\n\r\n',
    ])
      await send(text);
    expect((await serving.get('/healthz')).status).to.equal(200);
    for (const socket of idle) socket.destroy();
    expect(log()).not.to.include(token);
  });
});
