import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { newBlock, type Block } from '#firebreak/core/block.js';
import type { BypassedEvent, DigestEvent, FailureEvent } from '#firebreak/core/event.js';
import type { StandingRule } from '#firebreak/platforms/ansible/events.js';
import { renderBypassedMail } from '#firebreak/notify/mail/bypassed-mail.js';
import { renderDigestMail } from '#firebreak/notify/mail/digest-mail.js';
import { renderAddressesMail } from '#firebreak/notify/mail/addresses-mail.js';
import { renderDriftMail } from '#firebreak/notify/mail/drift-mail.js';
import { renderExpiryMail } from '#firebreak/notify/mail/expiry-mail.js';
import { renderFailureMail } from '#firebreak/notify/mail/failure-mail.js';
import { renderHeldMail } from '#firebreak/notify/mail/held-mail.js';
import { formatWithUtc } from '#firebreak/core/local-time.js';
import type { Mail } from '#firebreak/notify/mail/mail-template.js';
import { renderRecoveryMail } from '#firebreak/notify/mail/recovery-mail.js';
import { renderSuccessMail } from '#firebreak/notify/mail/success-mail.js';
import { renderTestMail } from '#firebreak/notify/mail/test-mail.js';
import { aFlow } from '../../fixtures.js';
import { packageRoot } from '../../lab/package-root.js';

const now = new Date(2026, 10, 25, 3, 12).getTime();
const minute = 60_000;
const hour = 60 * minute;

const flow = aFlow();
const fresh = newBlock({ id: '01BLOCK', firewall: 'edge', flow, tracker: 2_000_000_001, description: '' }, now);
const failed: Block = {
  ...fresh,
  claimedRevision: 1,
  doneRevision: 1,
  alarms: 2,
  failure: 'failed',
  failureCode: 'load_refused',
  reason: 'pf refused the rules: syntax error',
  run: '01RUN',
  failingSince: now - 10 * minute,
  dueAt: now + 5 * minute,
};
const away: Block = { ...failed, failure: 'unreachable', failureCode: 'unreachable', reason: 'it does not answer' };
const found = { at: now, host: 'siem' };
const passes = "floating rule 'Allow monitoring' (tracker 7) passes it first";
const shadowed: Block = {
  ...fresh,
  ...{ state: 'active', claimedRevision: 1, doneRevision: 1, dueAt: null, provenAt: now },
  ...{ proof: 'shadowed', proofMessage: passes },
};

const asked = (blocks: readonly Block[], context: Record<string, string>) =>
  new Map(blocks.map(({ id }) => [id, [{ id: 'A', receivedAt: now, origin: 'ssh 192.0.2.9', context }]]));

const toFailure = (blocks: readonly Block[], more: Partial<FailureEvent> = {}): FailureEvent => ({
  ...found,
  kind: 'failure',
  firewall: blocks[0]!.firewall,
  causes: [],
  blocks,
  alarms: new Map(),
  record: '/runs/01RUN',
  giveUpMs: 24 * hour,
  ...more,
});
const toBypassed = (blocks: readonly Block[]): BypassedEvent => ({
  ...{ ...found, kind: 'bypassed', firewall: 'edge', alarms: new Map() },
  ...{ causes: [{ cause: 'shadowed', beganAt: now - hour }], blocks },
});
const mailOf = (...blocks: Block[]): Mail => renderFailureMail(toFailure(blocks));

/** A text without its line breaks: they are where there was no more room. */
const flat = (text: string): string => text.replace(/\s+/g, ' ');

/** What a person reads of the HTML part. */
const shown = (html: string): string =>
  flat(
    html
      .replace(/<head>.*<\/head>/s, '')
      .replace(/<[^>]*>/g, ' ')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#x27;', "'"),
  );

const storm = Array.from({ length: 1000 }, (_, index): Block => {
  const source = index < 600 ? '203.0.113.7' : `198.51.100.${index % 100}`;
  return { ...away, id: `01BLOCK${index}`, flow: { ...flow, source } };
});

describe('the mail of a failure', () => {
  it('names firewall, number, cause and beginning in its subject', () => {
    expect(mailOf(away, away, away).subject).to.equal(
      '[firebreak] edge: 3 blocks NOT in force: unreachable since 03:02',
    );
    expect(mailOf(away).subject).to.equal(
      '[firebreak] edge: 1 block NOT in force: 203.0.113.7, unreachable since 03:02',
    );
    expect(mailOf({ ...away, desired: 'absent' }).subject).to.include('1 block NOT released');
    expect(mailOf({ ...away, failingSince: now - 48 * hour }).subject).to.match(/since 2026-11-23$/);
  });

  for (const [title, blocks] of [
    ['a firewall with a long name', Array.from({ length: 3 }, () => ({ ...away, firewall: 'x'.repeat(63) }))],
    [
      'an address and a cause that are long',
      [{ ...failed, flow: { ...flow, source: '2001:db8:1:2:3:4:5:6:'.repeat(2) } }],
    ],
    ['two causes', [away, failed]],
  ] as const) {
    it(`has a subject of at most 78 ASCII characters that names the problem, for ${title}`, () => {
      expect(mailOf(...blocks).subject).to.match(
        /^(?=.{1,78}$)\[firebreak\] [\x20-\x7e]*\d blocks? NOT in force.*since 03:02$/,
      );
    });
  }

  it('says in both parts what fails, since when, why, in which step, what happens next and when, and what to run', () => {
    const alarms = asked([failed], { 'event-id': '6a1f-42', risk: '7' });
    const step = { run: '01RUN', task: 'pfsense : Reload the rules' };
    const { text, html } = renderFailureMail(toFailure([failed], { alarms, step }));
    for (const part of [flat(text), shown(html)]) {
      for (const words of [
        '203.0.113.7 -> 192.168.1.10 tcp/22 on wan',
        `Cause: pf refused since ${formatWithUtc(now - 10 * minute)} (10m before this mail).`,
        'Requested by 2 alarms.',
        'pf refused the rules: syntax error in the step "Reload the rules"',
        'event-id 6a1f-42, risk 7',
        `Firebreak retries automatically at ${formatWithUtc(now + 5 * minute)}`,
        `Blocks that still fail at ${formatWithUtc(now - 10 * minute + 24 * hour)} are marked failed`,
        'firebreak doctor --firewall edge',
        'firebreak retry 1BLOCK',
        'firebreak show 1BLOCK',
        '/runs/01RUN',
        'Firebreak on siem',
      ]) {
        expect(part).to.include(words);
      }
    }
  });

  it('names the step only of the run in which it failed', () => {
    const step = { run: '01OTHER', task: 'Reload the rules' };
    expect(renderFailureMail(toFailure([failed], { step })).text).to.not.include('Reload');
  });

  it('announces no further retries for a block that was given up', () => {
    const { text, html, subject } = mailOf({ ...failed, state: 'failed', dueAt: null });
    expect(subject).to.equal('[firebreak] edge: 1 block NOT in force, given up: 203.0.113.7 since 03:02');
    for (const part of [flat(text), shown(html)]) {
      expect(part)
        .to.include('Cause: pf refused since')
        .and.include('1 block given up: no further retries until you run firebreak retry.');
      expect(part).to.not.include('retries automatically');
    }
  });

  it('names the command that repairs a rule that was changed by hand', () => {
    const { text } = mailOf({ ...failed, failureCode: 'changed_by_hand' });
    expect(text).to.include('firebreak reconcile --fix --firewall edge').and.not.include('doctor');
  });

  it('summarises 1,000 blocks in one mail: their number, the top addresses, and the first of them', () => {
    const { subject, text, html } = mailOf(...storm);
    expect(subject).to.equal('[firebreak] edge: 1000 blocks NOT in force: unreachable since 03:02');
    for (const part of [flat(text), shown(html)]) {
      expect(part)
        .to.match(/Requested by 2000 alarms/)
        .and.match(/203\.0\.113\.7 600 (blocks, )?1200/);
      expect(part)
        .to.match(/192\.168\.1\.10 1000 (blocks, )?2000/)
        .and.include('... and 980 more');
      expect(part.match(/, block \w{6}\b/g)).to.have.length(20);
    }
    expect(text.length).to.be.below(12_000);
    expect(html.length).to.be.below(60_000); // below what makes a mail program cut it
  });

  it('has no line that a text client would wrap', () => {
    for (const line of mailOf(...storm.slice(0, 30)).text.split('\n')) expect(line.length, line).to.be.at.most(78);
  });
});

describe('every mail', () => {
  const rule: StandingRule = {
    ...flow,
    tracker: 2_000_000_009,
    description: '',
    changed: false,
    why: null,
    proven: true,
  };
  const load = {
    held: 1,
    enforced: 9,
    lastMinute: 61,
    sources: [{ address: '203.0.113.7', blocks: 6, alarms: 8 }],
    destinations: [{ address: '192.168.1.10', blocks: 5, alarms: 4 }],
  };
  const limits = { per_minute: 60, active: 10_000, per_destination: 1000, hold_for: 24 * hour };
  const held: Block = { ...fresh, state: 'held', reason: 'held: too many' };
  const resolved = [{ cause: 'load_refused', beganAt: now - 2 * hour, told: 2, toldAt: now }];
  const active: Block = { ...fresh, state: 'active', changed: true, expiresAt: now + 24 * hour };
  const run = { id: '01RUN', ms: 1412, batch: 1 };
  const success = { ...found, kind: 'success', firewall: 'edge', run } as const;
  const digest: DigestEvent = {
    ...found,
    kind: 'digest',
    day: { name: '2026-11-25', from: now - 20 * hour, to: now + 4 * hour },
    recent: [
      { ...active, alarms: 3 },
      { ...active, createdAt: now - 30 * hour, state: 'released', updatedAt: now },
      { ...active, createdAt: now + 5 * hour, updatedAt: now + 5 * hour },
      { ...fresh, state: 'refused' },
    ],
    open: [...Array.from({ length: 11 }, () => failed), held],
    alarms: asked([failed], { 'event-id': '6a1f' }),
    firewalls: [
      { name: 'edge', active: 41, driftSince: now - hour },
      { name: 'depot', active: 1, driftSince: null },
    ],
    audit: { seq: 1234, hash: 'c0ffee'.repeat(10) },
  };
  const link = 'https://firebreak.example.org/decide/hFz0cQ3Zb6oYw2mJr8T1vLx5nKdEaS7uGiPfCqRtWyB';
  const mails: Record<string, Mail> = {
    failure: mailOf(failed, away),
    held: renderHeldMail({
      ...found,
      kind: 'held',
      load,
      limits,
      blocks: [held],
      alarms: asked([held], { 'event-id': '6a1f' }),
      links: { mail: link },
    }),
    expiry: renderExpiryMail({
      ...found,
      kind: 'expiry',
      blocks: [{ ...fresh, expiresAt: now + 20 * hour }],
      alarms: asked([fresh], { 'event-id': '6a1f' }),
    }),
    recovery: renderRecoveryMail({
      ...found,
      kind: 'recovery',
      firewall: 'edge',
      resolved,
      failing: [failed, failed, failed],
      bypassed: 0,
      active: 12,
    }),
    drift: renderDriftMail({
      ...found,
      kind: 'drift',
      firewall: 'edge',
      drift: [
        { kind: 'missing', block: fresh },
        { kind: 'unknown', rule },
      ],
      isFixed: false,
      beganAt: now,
    }),
    addresses: renderAddressesMail({
      ...found,
      kind: 'addresses',
      firewall: 'edge',
      change: { firewall: 'edge', at: now, added: ['203.0.113.98'], removed: ['203.0.113.200'], isTold: false },
    }),
    bypassed: renderBypassedMail(toBypassed([shadowed])),
    test: renderTestMail({ ...found, kind: 'test' }),
    digest: renderDigestMail(digest),
    success: renderSuccessMail({ ...success, blocks: [active], alarms: asked([active], { 'event-id': '6a1f' }) }),
  };
  const folder = path.join(packageRoot, 'templates/mail');

  for (const [kind, { subject, text, html }] of Object.entries(mails)) {
    describe(`of ${kind}`, () => {
      it('has a subject that fits, and the same commands in both parts', () => {
        expect(subject).to.match(/^\[firebreak\] [\x20-\x7e]{1,66}$/);
        const commands = [...text.matchAll(/^ {4}(firebreak .*)$/gm)].map(([, command]) => command);
        expect(commands).to.not.deep.equal([]);
        for (const command of commands) expect(shown(html)).to.include(command);
      });

      it('loads nothing from the network and has no script', () => {
        expect(html.replace(`href="${link}"`, '')).to.not.match(
          /https?:|\bsrc=|href=|url\(|@import|<script|<img|<link|javascript:/i,
        );
      });

      it('works in an old client: tables, each cell with its own style, no wider than 640', () => {
        expect(html)
          .to.match(/^<!DOCTYPE html>/)
          .and.include('max-width:640px');
        const cells = html.match(/<td\b[^>]*>/g) ?? [];
        expect(cells).to.not.deep.equal([]);
        for (const cell of cells.filter((each) => each !== '<td>')) expect(cell).to.match(/ style="/);
        for (const tag of ['table', 'tr', 'td', 'div', 'style']) {
          const [open, closed] = [html.match(new RegExp(`<${tag}\\b`, 'g')), html.match(new RegExp(`</${tag}>`, 'g'))];
          expect(open?.length, tag).to.equal(closed?.length);
        }
      });

      it('has a dark mode that sets every colour', () => {
        expect(html).to.include('<meta name="color-scheme" content="light dark">');
        const dark = /@media \(prefers-color-scheme: dark\) \{(.*?)\n\}/s.exec(html)?.[1] ?? '';
        const classes = new Set([...html.matchAll(/class="([\w ]+)"/g)].flatMap(([, names = '']) => names.split(' ')));
        for (const name of classes) expect(dark).to.include(`.${name} {`);
        // A colour without a class would stay as it is in the dark, but for the white on the bar.
        for (const [tag] of html.matchAll(/<(?:td|span)[^>]*[ ";]color:(?!#ffffff)[^>]*>/g))
          expect(tag).to.include('class=');
      });
    });
  }

  it('escapes everything: no built-in template writes a raw value', () => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.html.hbs'))) {
      expect(readFileSync(path.join(folder, file), 'utf8'), file).to.not.match(/\{\{\{|\{\{~?&/);
    }
  });

  it('of a recovery names what is resolved, how long it lasted, what still fails, and the current state', () => {
    const { subject, text } = mails['recovery']!;
    expect(subject).to.equal('[firebreak] edge: partly recovered after 2h, 3 blocks still fail');
    expect(flat(text)).to.include(`pf refused from ${formatWithUtc(now - 2 * hour)}, for 2h`);
    expect(text).to.include('12 blocks in force there').and.include('firebreak list --firewall edge');
  });

  it('of a bypassed block says what passes its packets, since when, and that it is not retried', () => {
    const { subject, text, html } = mails['bypassed']!;
    expect(subject).to.equal('[firebreak] edge: 1 block stands but does not stop its packets: 203.0.113.7');
    for (const part of [flat(text), shown(html)]) {
      for (const words of [
        `Cause: another rule passes the packets first since ${formatWithUtc(now - hour)}.`,
        `the rule stands, but the packet is not stopped: ${passes}`,
        'Firebreak leaves the rules in place and does not retry',
        'firebreak reconcile --firewall edge',
      ])
        expect(part).to.include(words);
    }
    const many = renderBypassedMail(toBypassed(Array.from({ length: 30 }, () => shadowed)));
    expect(many.subject).to.equal('[firebreak] edge: 30 blocks stand but do not stop their packets');
    expect(many.text).to.include('... and 10 more.');
  });

  it('of a recovery is partial while a block is bypassed, and says what that needs', () => {
    const event = {
      ...found,
      kind: 'recovery',
      firewall: 'edge',
      resolved,
      failing: [],
      bypassed: 2,
      active: 1,
    } as const;
    const { subject, text } = renderRecoveryMail(event);
    expect(subject).to.equal('[firebreak] edge: partly recovered after 2h, 2 blocks are bypassed');
    expect(flat(text)).to.include('A bypassed block needs a change on the firewall').and.not.include('retries');
  });

  it('of a success says of a block that is not proven to decide why', () => {
    const proofMessage = 'this playbook does not tell who decides';
    const block: Block = { ...active, proof: 'listed', proofMessage };
    const { text } = renderSuccessMail({ ...success, blocks: [block], alarms: new Map() });
    expect(flat(text)).to.include('Applied on the firewall').and.include(`not proven to decide: ${proofMessage}`);
    expect(flat(mails['success']!.text)).to.include('Proven on the firewall');
  });

  it('of a day names bypassed blocks apart from failing ones', () => {
    const { subject, text } = renderDigestMail({ ...digest, open: [failed, shadowed], firewalls: [] });
    expect(subject).to.include('1 FAILING, 1 BYPASSED');
    expect(flat(text)).to.include('bypassed now 1').and.include(passes);
  });

  it('of a recovery names the sources that still fail, their firewall, the cause and since when', () => {
    const { text, html } = mails['recovery']!;
    for (const part of [flat(text), shown(html)])
      expect(part).to.include('3 blocks NOT in force: 203.0.113.7 on edge (pf refused since 03:02)');
  });

  it('of a difference names it, its beginning, and the command that repairs it', () => {
    const { subject, text, html } = mails['drift']!;
    expect(subject).to.equal('[firebreak] DRIFT: edge: 2 differences from the ledger: 203.0.113.7');
    expect(flat(text)).to.match(
      /unknown: 203\.0\.113\.7 -> \S+ tcp\/22 on wan \(tracker 2000000009\) .*; --fix adopts it/,
    );
    expect(text).to.include('203.0.113.7 -> 192.168.1.10').and.include('2000000009');
    expect(shown(html)).to.include('firebreak reconcile --fix --firewall edge').and.include(formatWithUtc(now));
  });

  it('of a success names what is in force, until when, the run that proved it, and how to remove it', () => {
    const { subject, text, html } = mails['success']!;
    expect(subject).to.equal('[firebreak] edge: 1 block in force: 203.0.113.7 -> 192.168.1.10 tcp/22 on wan');
    for (const part of [flat(text), shown(html)]) {
      expect(part)
        .to.include(`until ${formatWithUtc(now + 24 * hour)}`)
        .and.include('by run 01RUN in 1.4 s');
      expect(part).to.include('event-id 6a1f').and.include('firebreak unblock --id 1BLOCK');
    }
  });

  it('lists all changes of a run in one mail, including released blocks', () => {
    const gone: Block = { ...fresh, state: 'released', reason: 'expired' };
    const blocks = [active, ...Array.from({ length: 30 }, () => gone)];
    const { subject, text } = renderSuccessMail({ ...success, blocks, alarms: new Map() });
    expect(subject).to.equal('[firebreak] edge: 1 block in force, 30 blocks released');
    expect(text).to.include('expired').and.include('... and 11 more').and.not.include('unblock');
  });

  it('of a day counts new, released and refused blocks, and shows the current state and what needs attention', () => {
    const { subject, text, html } = mails['digest']!;
    expect(subject).to.equal('[firebreak] 2026-11-25: 42 in force, 11 FAILING, 1 HELD, 1 with DRIFT');
    for (const part of [flat(text), shown(html)]) {
      expect(part).to.match(
        /new blocks 1 alarms for new blocks 3 released 1 refused (\(by policy or by an operator\) )?1/,
      );
      expect(part)
        .to.match(/failing now 11 held now 1/)
        .and.match(/depot:? 1 (in force, )?0/);
      expect(part).to.match(/edge:? (has differed .* )?41 (in force, )?11/);
      expect(part).to.include(`has differed from the ledger since ${formatWithUtc(now - hour)}`);
      expect(part).to.include('... and 2 more.').and.include('event-id 6a1f');
      for (const command of ['retry --all', 'list --state held', 'reconcile --firewall edge'])
        expect(part).to.include(`firebreak ${command}`);
    }
  });

  it('of a day says in a sentence which block is not in force, where, and since when', () => {
    const bad: Block = { ...away, flow: { ...flow, source: '203.0.113.8' } };
    const { text } = renderDigestMail({ ...digest, open: [bad] });
    expect(flat(text)).to.include('1 block NOT in force: 203.0.113.8 on edge (edge unreachable since 03:02).');
  });

  it('of held blocks names the first sources in its subject, if there are several', () => {
    const blocks = ['203.0.113.7', '203.0.113.8', '203.0.113.9'].map((source) => ({
      ...held,
      flow: { ...flow, source },
    }));
    const { subject } = renderHeldMail({ ...found, kind: 'held', load, limits, blocks, alarms: new Map(), links: {} });
    expect(subject).to.equal('[firebreak] HELD: 203.0.113.7, 203.0.113.8 and 1 more wait for approval');
  });

  it('of a quiet day says that all is well', () => {
    const quiet = { ...digest, recent: [], open: [], firewalls: [{ name: 'edge', active: 2, driftSince: null }] };
    const { subject, text } = renderDigestMail(quiet);
    expect(subject).to.equal('[firebreak] 2026-11-25: 0 new blocks, 2 in force, all well');
    expect(text).to.not.match(/NEEDS ATTENTION|SOURCES|doctor/);
  });

  it('of held blocks gives the figures, the limits, the first blocks, and what to run', () => {
    const { subject, text, html } = mails['held']!;
    expect(subject).to.equal('[firebreak] HELD: 203.0.113.7 -> 192.168.1.10 tcp/22 on wan waits for approval');
    for (const part of [flat(text), shown(html)]) {
      expect(part)
        .to.match(/held now 1 /)
        .and.match(/new in the last minute (61 )?\(limit 60\)/);
      expect(part).to.include('held: too many').and.include('event-id 6a1f').and.include('firebreak approve --all');
    }
  });
});

describe("an operator's templates", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'templates-'));
    mkdirSync(path.join(folder, 'mail'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (name: string, text: string): void => writeFileSync(path.join(folder, 'mail', name), text);
  const render = (): Mail => renderFailureMail(toFailure([failed]), folder);
  const ours = mailOf(failed);

  it('replace the built-in ones one by one, and escape in the same manner', () => {
    write('failure.txt.hbs', 'CASE {{blocks.[0].what}} & more\r\n');
    write('layout.html.hbs', '<p>{{lead}} {{blocks.[0].what}}</p>');
    expect(render()).to.deep.equal({
      subject: ours.subject,
      text: 'CASE 203.0.113.7 -> 192.168.1.10 tcp/22 on wan & more\n',
      html: `<p>Cause: pf refused since ${formatWithUtc(now - 10 * minute)} (10m before this mail). Requested by 2 alarms. 203.0.113.7 -&gt; 192.168.1.10 tcp/22 on wan</p>`,
    });
  });

  it('are optional', () => {
    rmSync(path.join(folder, 'mail'), { recursive: true });
    expect(existsSync(folder)).to.equal(true);
    expect(render()).to.deep.equal(ours);
  });

  for (const [title, name, source, said] of [
    ['does not parse', 'failure.html.hbs', '{{#if blocks}}', /failure\.html\.hbs: Parse error on line 1/],
    ['belongs to another mail, and does not parse', 'drift.txt.hbs', '{{', /drift\.txt\.hbs: Parse error/],
    ['names an unknown value', 'failure.txt.hbs', '{{who}}', /"who" not defined/],
    ['calls an unknown helper', 'block.txt.hbs', '{{shout id}}', /"shout" not defined/],
    ['renders nothing', 'failure.txt.hbs', '\n', /failure\.txt\.hbs renders nothing/],
  ] as const) {
    it(`are not used if one ${title}; the built-in mail says so in both parts`, () => {
      write(name, source);
      write('layout.txt.hbs', 'theirs {{> @partial-block}}');
      const { subject, text, html, problem } = render();
      expect(subject).to.equal(ours.subject);
      expect(problem)
        .to.match(said)
        .and.match(/^[^\n]{1,500}$/)
        .and.include(path.join(folder, 'mail'));
      expect(text).to.include('firebreak retry 1BLOCK').and.not.include('theirs');
      expect(flat(text)).to.include(`Note: your templates in ${folder}`);
      expect(shown(html)).to.include(`Note: your templates in ${folder}`);
    });
  }

  it('are not used if they cannot be read', () => {
    mkdirSync(path.join(folder, 'mail', 'failure.txt.hbs'));
    expect(render().problem).to.include('is a folder');
  });
});
