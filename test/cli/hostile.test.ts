import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import { parse as parseYaml } from 'yaml';
import { fitToPlatform } from '#firebreak/platforms/fit.js';
import { platformOf } from '#firebreak/platforms/index.js';
import { renderExtraVars } from '#firebreak/platforms/ansible/render.js';
import { loadConfig } from '#firebreak/config/load.js';
import { configSchema } from '#firebreak/config/schema.js';
import { parseAddress } from '#firebreak/core/address.js';
import { auditStart, findBreaks, linkEntry } from '#firebreak/core/audit.js';
import { newBlock, type Block } from '#firebreak/core/block.js';
import { FirebreakError } from '#firebreak/core/errors.js';
import type { Flow } from '#firebreak/core/flow.js';
import { findProtection } from '#firebreak/core/policy.js';
import { toPrintable, toPrintableJson } from '#firebreak/core/printable.js';
import { parseAlarm, type AlarmRequest } from '#firebreak/intake/alarm.js';
import { readBlockArguments } from '#firebreak/intake/argv.js';
import { parseGatewayCommand } from '#firebreak/intake/gateway.js';
import { parseListFile } from '#firebreak/intake/list-file.js';
import { renderSensor, type SensorOptions } from '#firebreak/intake/sensor.js';
import { toList } from '#firebreak/views/block-table.js';
import { renderFailureMail } from '#firebreak/notify/mail/failure-mail.js';
import type { Mail } from '#firebreak/notify/mail/mail-template.js';
import { detailsToText } from '#firebreak/views/show.js';
import { answerToText } from '#firebreak/views/answer.js';
import { packageRoot } from '../lab/package-root.js';

/** How many cases all these tests see together: 500 in `npm test`, more than 10,000 in `npm run fuzz`. */
const cases = Number(process.env['FIREBREAK_FUZZ_CASES'] ?? 500);
const share = (part: number): { numRuns: number } => ({ numRuns: Math.max(5, Math.ceil(cases * part)) });

const folder = (): string => path.join(tmpdir(), 'firebreak-canary');

/** Words that would do something, if anybody on the way read them as more than letters. */
const payloads = [
  '$(touch CANARY)',
  '`touch CANARY`',
  "'; touch CANARY; '",
  '"; touch CANARY #',
  '| touch CANARY',
  '&& touch CANARY',
  '\ntouch CANARY\n',
  '-oProxyCommand=touch CANARY',
  '--config=CANARY',
  "{{ lookup('pipe', 'touch CANARY') }}",
  "{% endraw %}{{ lookup('pipe', 'touch CANARY') }}",
  "{% for x in ''.__class__.__mro__ %}{% endfor %}",
  '{# a comment #}',
  '!!python/object/apply:os.system ["touch CANARY"]',
  '!unsafe x: &anchor *anchor',
  'key: value\n- item\t: \u0000',
  '\ufeff%YAML 1.1\n---\n',
  ']]></descr></rule><rule><type>pass</type><descr><![CDATA[',
  '&#10;&lt;!ENTITY x SYSTEM "file:///etc/passwd"&gt;&x;',
  '" label "$srcaddr" pass quick all #\\',
  '\x1b[2J\x1b]0;title\x07\x9b31m\u202eabc',
  'x\r\nBcc: victim@example.org\r\n\r\n<html>',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '2026-01-01 INFO all is well\n{"level":"info"}',
  '__proto__',
  'constructor',
  'toString',
  '../../../../etc/passwd',
  '%s%n%x',
  '\ud800 lone surrogate \udfff \ufffd',
  'SRC_IP',
  '0.0.0.0',
  '::ffff:127.0.0.1',
  'A'.repeat(70_000),
];

const hostile: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...payloads) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
  {
    weight: 2,
    arbitrary: fc.string({ unit: fc.constantFrom(...`$\`'"\\;|&<>(){}[]%#!*?~\n\r\t\0 .:/-=a0`.split('')) }),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...payloads), fc.string()).map((both) => both.join('')) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 1_000_000 }).map((length) => 'x'.repeat(length)) },
);
const armed = hostile.map((text) => text.replaceAll('CANARY', path.join(folder(), 'canary')));

const config = configSchema.parse({ firewalls: { edge: { host: '192.0.2.1' } } });
const edge = config.firewalls['edge']!;
const good: AlarmRequest = {
  ...{ source: '203.0.113.7', destination: '192.168.1.10', port: '22', protocol: 'tcp' },
  ...{ interface: undefined, type: undefined, ipproto: undefined, description: undefined, duration: undefined },
  ...{ tags: [], context: {} },
};

/** Neither a shell, nor Jinja, YAML, XML or pf reads any of these as more than a letter. */
function expectSafe(flow: Flow): void {
  expect(Object.values(flow).join(' ')).to.match(/^[A-Za-z0-9_.:/ ]*$/);
  expect(['block', 'reject']).to.include(flow.type);
}

/** What the act gives, or undefined where it was refused in one of our own sentences, each line of it printable. */
function refusedOr<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    const said = toPrintable(error.message);
    // eslint-disable-next-line no-control-regex -- they must not be there
    expect(said).to.not.match(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect(said.length).to.be.lessThan(20_000);
    return undefined;
  }
}

const toBlock = (text: string): Block => ({
  ...newBlock(
    {
      ...{ id: '01BLOCK', firewall: 'edge', tracker: 2_000_000_001, description: text },
      flow: parseAlarm(good, config).flowOn(edge),
    },
    0,
  ),
  ...{ state: 'failed', failure: 'failed', failureCode: 'x', reason: text, claimedRevision: 1, doneRevision: 1 },
});

describe('hostile input', function () {
  this.timeout(600_000);

  before(() => mkdirSync(folder(), { recursive: true }));

  afterEach(() => {
    expect(existsSync(path.join(folder(), 'canary')), 'the canary').to.equal(false);
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
  });

  after(() => rmSync(folder(), { recursive: true, force: true }));

  it('in any field of an alarm is refused or made harmless', () => {
    const fields = [
      'source',
      'destination',
      'port',
      'interface',
      'type',
      'ipproto',
      'protocol',
      'description',
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...fields, 'duration', 'context'), armed, (field, text) => {
        const words = field === 'context' ? { ...good, context: { risk: text } } : { ...good, [field]: text };
        const alarm = refusedOr(() => parseAlarm(words, config));
        if (alarm === undefined) return;
        const flow = refusedOr(() => alarm.flowOn(edge));
        if (flow === undefined) return;
        expectSafe(flow);
        expect(fitToPlatform(platformOf(edge), { flow, description: alarm.description }).description).to.match(
          /^[A-Za-z0-9 .:_-]{0,52}$/,
        );
        expect(Object.values(alarm.context).join(' ')).to.match(/^[A-Za-z0-9.:_ -]*$/);
      }),
      share(0.2),
    );
  });

  it('over SSH is refused, or an alarm like any other', () => {
    const start = fc.constantFrom('', 'firebreak block ', 'firebreak block 203.0.113.7 192.168.1.10 22 ', 'sh x.sh ');
    const words = fc.array(
      fc.oneof(
        armed,
        armed.map((text) => `'${text.replaceAll("'", '')}'`),
        armed.map((text) => `--description="${text.replaceAll('"', '')}"`),
      ),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(start, words, (head, tail) => {
        const request = refusedOr(() => parseGatewayCommand(head + tail.join(' ')));
        if (request === undefined) return;
        const alarm = refusedOr(() => parseAlarm(readBlockArguments(request.argv), config));
        const flow = alarm && refusedOr(() => alarm.flowOn(edge));
        if (flow !== undefined) expectSafe(flow);
      }),
      share(0.2),
    );
  });

  it('goes to Ansible as the text it is, even where nothing cleaned it', () => {
    fc.assert(
      fc.property(armed, (text) => {
        const { flow, tracker } = toBlock('');
        const rendered = renderExtraVars({ present: [{ ...flow, tracker, description: text }], absent: [] });
        expect(rendered).to.match(/^[\x20-\x7e\n]*$/);
        const read = parseYaml(rendered) as {
          firebreak_present: { description: object }[];
          firebreak_absent: object[];
        };
        expect(read.firebreak_absent).to.deep.equal([]);
        expect(read.firebreak_present).to.have.length(1);
        expect(read.firebreak_present[0]!.description).to.deep.equal({ __ansible_unsafe: text });
      }),
      share(0.1),
    );
  });

  it('adds no header and no tag to a mail', async () => {
    const transport = createTransport({ streamTransport: true, buffer: true });
    const toMail = (text: string): Mail => {
      const block = toBlock(text);
      const alarms = new Map([[block.id, [{ id: 'A', receivedAt: 0, origin: text, context: { risk: text } }]]]);
      const occurrence = { kind: 'failure', at: 0, host: 'host', firewall: block.firewall, causes: [] } as const;
      return renderFailureMail({ ...occurrence, blocks: [block], alarms, record: `/${text}`, giveUpMs: 1 });
    };
    const harmless = toMail('harmless');
    await fc.assert(
      fc.asyncProperty(armed, async (text) => {
        const mail = toMail(text);
        expect(mail.subject).to.match(/^[\x20-\x7e]{1,78}$/);
        expect(mail.html.match(/<[^>]*>/g)).to.deep.equal(harmless.html.match(/<[^>]*>/g));
        const sent = await transport.sendMail({ from: 'a@example.org', to: 'b@example.org', ...mail });
        const [head = ''] = (sent.message as Buffer).toString().split(/\r?\n\r?\n/); // a buffer, as was asked for
        const names = head
          .split(/\r?\n/)
          .filter((line) => !/^\s/.test(line))
          .map((line) => line.split(':')[0]);
        expect(new Set(names).size).to.equal(names.length);
        const known = ['From', 'To', 'Subject', 'Message-ID', 'Content-Transfer-Encoding', 'Date', 'MIME-Version'];
        expect([...known, 'Content-Type']).to.include.members(names);
        expect(head).to.match(/Content-Type: multipart\/alternative/);
      }),
      share(0.1),
    );
  });

  it('moves no cursor and forges no line in lists, answers and JSON', () => {
    fc.assert(
      fc.property(armed, (text) => {
        const block = toBlock(text);
        const alarm = { id: 'A', receivedAt: 0, origin: text, context: { risk: text } };
        const shown = [
          toList([block], { now: 0 }),
          detailsToText({ block, alarms: [alarm], record: undefined, now: 0 }),
        ];
        for (const said of [...shown, answerToText({ blocks: [block], check: false, run: null })].map(toPrintable)) {
          // eslint-disable-next-line no-control-regex -- they must not be there
          expect(said).to.not.match(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
        }
        const json = toPrintableJson({ reason: text });
        // eslint-disable-next-line no-control-regex -- as above
        expect(json).to.not.match(/[\x00-\x1f\x7f-\x9f\u2028-\u202e]/);
        expect(JSON.parse(json)).to.deep.equal({ reason: text });
      }),
      share(0.1),
    );
  });

  it('is one line of the audit log, and breaks no chain', () => {
    fc.assert(
      fc.property(armed, armed, (text, name) => {
        const { line, head } = linkEntry({ event: text, [name]: text }, auditStart, { at: 'now' });
        if (['seq', 'at', 'prev', 'hash', 'event'].includes(name)) return;
        expect(line).to.not.include('\n');
        expect(findBreaks([line], head)).to.deep.equal([]);
      }),
      share(0.1),
    );
  });

  it('in a list of addresses is an entry or a sentence', () => {
    const json = fc.tuple(armed, armed).map(([name, value]) => JSON.stringify([{ ip: value, [name]: value }]));
    const polluting = fc.constantFrom('{"__proto__":{"x":1}}', '[{"__proto__":{"ip":"1"},"constructor":"x"}]');
    fc.assert(
      fc.property(
        fc.oneof(
          armed,
          json,
          polluting,
          armed.map((text) => `ip,reason\n${text},${text}`),
        ),
        (text) => {
          const entries = refusedOr(() => parseListFile(text))?.entries ?? [];
          for (const { fields } of entries) for (const word of Object.values(fields)) expect(word).to.be.a('string');
        },
      ),
      share(0.1),
    );
  });

  it('in a JSON list, however deep, is an entry or a sentence', () => {
    const deep = fc
      .tuple(fc.integer({ min: 1, max: 20_000 }), fc.constantFrom('[', '{"blocks":', '{"a":['))
      .map(
        ([depth, open]) =>
          open.repeat(depth) + '"192.0.2.1"' + (open === '[' ? ']' : open === '{"a":[' ? ']}' : '}').repeat(depth),
      );
    fc.assert(
      fc.property(deep, (text) => void refusedOr(() => parseListFile(text))),
      share(0.05),
    );
  });

  it('as an IPv4 address within an IPv6 one is found in every form', () => {
    const forms: ((hex: string) => string)[] = [
      (hex) => `::ffff:0:${hex.slice(0, 4)}:${hex.slice(4)}`,
      (hex) => `::${hex.slice(0, 4)}:${hex.slice(4)}`,
      (hex) => `2002:${hex.slice(0, 4)}:${hex.slice(4)}::1`,
      (hex) => `64:ff9b::${hex.slice(0, 4)}:${hex.slice(4)}`,
      (hex) => `64:ff9b:1:${hex.slice(0, 4)}:${hex.slice(4, 6)}:${hex.slice(6)}00::`,
      (hex) => `2001:db8:1:2:0:5efe:${hex.slice(0, 4)}:${hex.slice(4)}`,
    ];
    fc.assert(
      fc.property(fc.integer({ min: 0x01000000, max: 0xdfffffff }), fc.constantFrom(...forms), (number, form) => {
        const bytes = [24, 16, 8, 0].map((bits) => (number >>> bits) & 255);
        const [inner, outer] = [bytes.join('.'), form(number.toString(16).padStart(8, '0'))].map(parseAddress);
        if (inner?.ok !== true || outer?.ok !== true) return;
        const protection = { address: inner.address, reason: 'ours' };
        expect(findProtection(outer.address, { protections: [protection] })).to.match(/ours/);
      }),
      share(0.2),
    );
  });

  it('in a firewall’s answer is reduced to what was asked for, or is one fixed sentence', () => {
    const script = path.join(packageRoot, 'test/lab/hostile-answers.py');
    const said = execFileSync('python3', ['-B', script, String(share(2).numRuns), '7'], { encoding: 'utf8' });
    const codes = JSON.parse(said) as Record<string, number>; // as the script prints them
    expect(codes['taken']).to.be.greaterThan(10);
    expect(codes['answer_invalid']).to.be.greaterThan(10);
  });

  it('in a configuration is an error or a value', () => {
    const place = mkdtempSync(path.join(tmpdir(), 'h-'));
    const file = path.join(place, 'firebreak.yml');
    const firewalls = 'firewalls: {edge: {host: 192.0.2.1}}\n';
    try {
      fc.assert(
        fc.property(
          armed,
          fc.constantFrom('', firewalls, `${firewalls}log: `, `${firewalls}defaults: `),
          (text, head) => {
            writeFileSync(file, head + text, { mode: 0o600 });
            refusedOr(() => loadConfig(file));
          },
        ),
        share(0.05),
      );
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  it("is no part of the SIEM's script, and its words are refused or sent to nobody", () => {
    const place = mkdtempSync(path.join(tmpdir(), 'h-'));
    const words: SensorOptions = {
      ...{ host: '127.0.0.1', user: 'siem', port: '1', keyFile: '/k', passwordFile: undefined, knownHostsFile: '/h' },
      ...{ command: 'firebreak block', script: '/s', spool: path.join(place, 'spool'), most: '5', days: '7' },
      ...{ connectSeconds: '2', totalSeconds: '5', check: false },
    };
    const script = path.join(place, 'alarm');
    for (const [name, body] of [
      ['logger', 'cat >/dev/null'],
      ['timeout', 'exit 255'],
    ] as const) {
      writeFileSync(path.join(place, name), `#!/bin/sh\n${body}\n`);
      chmodSync(path.join(place, name), 0o755);
    }
    writeFileSync(script, renderSensor(words).replace('\nPATH=', `\nPATH=${place}:`), { mode: 0o700 });
    const call = (args: readonly string[]): number => {
      try {
        execFileSync('sh', [script, ...args], { stdio: 'ignore' });
        return 0;
      } catch (error) {
        return (error as { status: number }).status; // what execFileSync throws
      }
    };
    const short = armed.map((text) => text.replaceAll('\0', '').slice(0, 60_000));
    try {
      fc.assert(
        fc.property(short, fc.constantFrom('host', 'user', 'spool', 'command', 'keyFile'), (text, name) => {
          const rendered = refusedOr(() => renderSensor({ ...words, [name]: text }));
          if (rendered !== undefined) expect(text).to.match(/^[A-Za-z0-9 ._/@:+-]+$/);
          expect(call([text, '192.168.1.10', '22'])).to.be.oneOf([2, 0, 70, 75]);
          expect(call(['203.0.113.7', '192.168.1.10', '22', `--risk=${text}`])).to.be.oneOf([2, 0, 70, 75]);
        }),
        share(0.02),
      );
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
