import { createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Block } from '#firebreak/core/block.js';
import type { Event, FailureEvent, RecoveryEvent } from '#firebreak/core/event.js';
import { renderBody } from '#firebreak/notify/webhook/webhook-body.js';
import { toWebhookEvent } from '#firebreak/notify/webhook/webhook-event.js';
import { signBody } from '#firebreak/notify/webhook/webhook.js';
import { aBlock, anActiveBlock } from '../../fixtures.js';
import { packageRoot } from '../../lab/package-root.js';

const fresh = aBlock();
const failed: Block = {
  ...fresh,
  failure: 'unreachable',
  failureCode: 'unreachable',
  reason: 'no route to host',
  alarms: 3,
};
const found = { at: 7_200_000, host: 'siem', firewall: 'edge' };
const failureEvent: FailureEvent = {
  ...found,
  kind: 'failure',
  causes: [{ cause: 'unreachable', beganAt: 0 }],
  blocks: [failed],
  alarms: new Map(),
  record: '',
  giveUpMs: 1,
};
const failure = toWebhookEvent(failureEvent);
const recovery: RecoveryEvent = {
  ...found,
  kind: 'recovery',
  resolved: [{ cause: 'load_refused', beganAt: 0, told: 1, toldAt: 0 }],
  failing: [],
  bypassed: 0,
  active: 1,
};
const drift: Event = {
  ...found,
  kind: 'drift',
  drift: [{ kind: 'missing', block: fresh }],
  isFixed: false,
  beganAt: 0,
};
const change = { firewall: 'edge', at: 0, added: ['203.0.113.98'], removed: [], isTold: false };
const addresses: Event = { ...found, kind: 'addresses', change };
const expiry: Event = { ...found, kind: 'expiry', blocks: [], alarms: new Map() };
const held: Event = {
  ...found,
  kind: 'held',
  load: {
    ...{ held: 12, enforced: 0, lastMinute: 12 },
    sources: [{ address: '203.0.113.7', blocks: 9, alarms: 9 }],
    destinations: [],
  },
  limits: { per_minute: 60, active: 10_000, per_destination: 1000, hold_for: 1 },
  blocks: [],
  alarms: new Map(),
  links: { webhook: 'https://firebreak.example.org/decide/secret' },
};

describe("a webhook's event", () => {
  it('says what is not blocked, since when, why, and what to run', () => {
    expect(failure).to.include({
      kind: 'failure',
      at: '1970-01-01T02:00:00.000Z',
      firewall: 'edge',
      title: 'edge: 1 block NOT in force: unreachable',
      command: 'firebreak list --firewall edge',
      count: 1,
      alarms: 3,
      more: 0,
    });
    expect(failure.causes).to.deep.equal([{ cause: 'unreachable', since: '1970-01-01T00:00:00.000Z' }]);
    expect(failure.text).to.equal(
      [
        'no route to host',
        '203.0.113.7 -> 192.168.1.10 tcp/22 on wan',
        'Queued for retry.',
        'To do: firebreak list --firewall edge',
      ].join('\n'),
    );
  });

  it('summarises a storm, and names the command that retries blocks that were given up', () => {
    const storm = Array.from({ length: 1000 }, (_, index): Block => {
      const source = index < 600 ? '203.0.113.7' : `198.51.100.${index % 100}`;
      return { ...failed, state: 'failed', flow: { ...failed.flow, source } };
    });
    const event = toWebhookEvent({ ...failureEvent, causes: [{ cause: 'given_up', beganAt: 0 }], blocks: storm });
    expect(event).to.include({ title: 'edge: 1000 blocks NOT in force: given up', alarms: 3000, more: 980 });
    expect(event.command).to.equal('firebreak retry --all');
    expect(event.sources[0]).to.deep.equal({ address: '203.0.113.7', blocks: 600 });
    expect(event.text).to.include('and 995 more');
    expect(JSON.stringify(event).length).to.be.below(20_000);
  });

  it('describes recoveries, held blocks and differences', () => {
    const over = toWebhookEvent(recovery);
    expect(over).to.include({ isOver: true, title: 'edge: recovered after 2h, everything is as requested' });
    expect(over.text).to.match(/^pf refused since 1970/);
    expect(toWebhookEvent(held)).to.include({ firewall: null, title: 'HELD: 12 new blocks wait for approval' });
    expect(toWebhookEvent(held).sources).to.deep.equal([{ address: '203.0.113.7', blocks: 9 }]);
    expect(toWebhookEvent(drift)).to.include({ title: 'edge: 1 difference from the ledger' });
    expect(toWebhookEvent(drift).text).to.match(/^missing: 203\.0\.113\.7/);
  });

  it('describes bypassed blocks as a failure with a cause of its own, which is not over while one is left', () => {
    const proofMessage = "floating rule 'Allow monitoring' (tracker 7) passes it first";
    const block = anActiveBlock({ proof: 'shadowed', proofMessage });
    const event = toWebhookEvent({
      ...{ ...found, kind: 'bypassed', alarms: new Map() },
      ...{ causes: [{ cause: 'shadowed', beganAt: 0 }], blocks: [block] },
    });
    expect(event).to.include({
      kind: 'failure',
      title: 'edge: 1 block stands but does not stop its packets',
      count: 1,
    });
    expect(event.causes).to.deep.equal([{ cause: 'shadowed', since: '1970-01-01T00:00:00.000Z' }]);
    expect(event.text).to.include(proofMessage).and.include('Not retried').and.not.include('Queued');
    expect(event.blocks[0]).to.include({ state: 'active', proof: 'shadowed' });
    expect(Object.keys(event).sort()).to.deep.equal(Object.keys(failure).sort());
    expect(toWebhookEvent({ ...recovery, bypassed: 1 })).to.include({ isOver: false, count: 1 });
  });

  it('has the same keys in every kind, so that a template need not test for them', () => {
    const keys = [recovery, drift, addresses, held, expiry].map((event) => Object.keys(toWebhookEvent(event)).sort());
    for (const each of keys) expect(each).to.deep.equal(Object.keys(failure).sort());
  });
});

describe("a webhook's body", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hook-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function render(template: string, event: object = failure): unknown {
    const file = path.join(folder, 'own.json.hbs');
    writeFileSync(file, template);
    return JSON.parse(renderBody(file, event));
  }

  it('is the whole event, without a template', () => {
    expect(JSON.parse(renderBody(undefined, { id: 'M1', ...failure }))).to.deep.equal({ id: 'M1', ...failure });
  });

  it("is what the operator's template renders", () => {
    const made = render(
      '{"b": {"c": {{json host}}}, "a": {{json "of " host ": " count}}, "all": [{{#each blocks}}{{json id}}{{/each}}]}',
    );
    expect(made).to.deep.equal({ b: { c: 'siem' }, a: 'of siem: 1', all: ['01BLOCK'] });
  });

  for (const name of readdirSync(path.join(packageRoot, 'templates/webhook'))) {
    it(`of the template ${name} is JSON, and contains an attacker's input as text only`, () => {
      const evil = '"}], "evil": 1, \\ {{json host}} </script>\n<!channel> \u2028';
      const body = renderBody(path.join(packageRoot, 'templates/webhook', name), {
        ...failure,
        title: evil,
        text: evil,
      });
      expect(body)
        .to.include(JSON.stringify(evil))
        .and.not.match(/"evil": ?1/);
      expect(body).to.not.include('\n');
    });
  }

  for (const [title, template, sentence] of [
    ['that does not render JSON', '{"a": {{json host}}', /own\.json\.hbs: the result is not valid JSON: /],
    [
      'that names an unknown value',
      '{"a": {{json nothing}}}',
      /own\.json\.hbs: \{\{json\}\} names a field that events do not have/,
    ],
    ['that does not parse', '{"a": {{#if}', /own\.json\.hbs: Parse error on line 1/],
    ['that writes a raw value', '{"a":\n "{{text}}"}', /hbs: line 2: write \{\{json text\}\} instead of \{\{text\}\}/],
    ['that writes an unescaped value', '{"a": "{{{text}}}"}', /write \{\{json text\}\}/],
  ] as const) {
    it(`is refused for a template ${title}`, () => {
      expect(() => render(template)).to.throw(sentence);
    });
  }

  it('is refused for a missing template', () => {
    expect(() => renderBody(path.join(folder, 'gone'), failure)).to.throw(/gone: no such file/);
  });
});

describe("a webhook's signature", () => {
  it('is the HMAC-SHA256 of time and body, with the time beside it', () => {
    const digest = createHmac('sha256', 'a secret').update('1760000000.{"a":1}').digest('hex');
    expect(signBody('a secret', '{"a":1}', 1_760_000_000_999)).to.equal(`t=1760000000,v1=${digest}`);
  });
});
