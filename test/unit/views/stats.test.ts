import { expect } from 'chai';
import type { History } from '#firebreak/core/stats.js';
import { drawBars, placeLabels } from '#firebreak/views/chart.js';
import { historyToHtml } from '#firebreak/views/stats-html.js';
import { historyToJson } from '#firebreak/views/stats-json.js';
import { historyToText } from '#firebreak/views/stats-text.js';
import { findSlotSize, nameSlot, toSlots } from '#firebreak/views/stats-slots.js';

const hour = 3_600_000;
const day = 24 * hour;
const until = 1_760_000_000_000;
const none = { proven: 0, bypassed: 0, failed: 0, held: 0, refused: 0, released: 0, observed: 0 };
const fullHour = (ms: number): number => Math.floor(ms / hour) * hour;

const figures: History = {
  since: until - day,
  until,
  alarms: 412,
  alarmHours: [
    { at: fullHour(until - 5 * hour), alarms: 12 },
    { at: fullHour(until), alarms: 400 },
  ],
  outcomes: { proven: 118, bypassed: 1, failed: 6, held: 2, refused: 3, released: 40, observed: 0 },
  hours: [
    { ...none, at: fullHour(until - 3 * hour), proven: 100, failed: 6 },
    { ...none, at: fullHour(until), proven: 18, held: 2, refused: 3, released: 40, observed: 0 },
  ],
  proof: { medianMs: 840, p95Ms: 2100, slowestMs: 720_000 },
  causes: [
    { code: 'unreachable', blocks: 4 },
    { code: 'load_refused', blocks: 2 },
  ],
  sources: [
    { address: '203.0.113.7', blocks: 30, alarms: 200 },
    { address: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff', blocks: 1, alarms: 3 },
  ],
  destinations: [{ address: '192.168.1.10', blocks: 31, alarms: 203 }],
  tags: [],
  drift: [{ firewall: 'edge', times: 3, lastAt: until - hour, differences: 2 }],
  now: { active: 120, bypassed: 4, underWay: 3, failing: 2, givenUp: 1, held: 2 },
};

const quiet: History = {
  ...figures,
  ...{
    alarms: 0,
    alarmHours: [],
    outcomes: none,
    hours: [],
    proof: null,
    causes: [],
    sources: [],
    destinations: [],
    tags: [],
    drift: [],
  },
};

describe('toSlots', () => {
  it('has each hour of a day, quiet ones included', () => {
    const slots = toSlots(figures);
    expect(slots).to.have.length(25);
    expect(slots.filter(({ proven }) => proven > 0).map(({ proven }) => proven)).to.deep.equal([100, 18]);
    expect(slots.filter(({ received }) => received > 0).map(({ received }) => received)).to.deep.equal([12, 400]);
  });

  it('has days for a month, months for a year, and loses nothing', () => {
    for (const [span, size, most] of [
      [30 * day, 'day', 31],
      [365 * day, 'month', 13],
    ] as const) {
      const long = { ...figures, since: until - span };
      expect(findSlotSize(long)).to.equal(size);
      const slots = toSlots(long);
      expect(slots.length).to.be.within(most - 1, most + 1);
      expect(slots.reduce((sum, { proven }) => sum + proven, 0)).to.equal(118);
      expect(slots.reduce((sum, { received }) => sum + received, 0)).to.equal(412);
    }
  });

  it('begins with the first outcome if the period is unlimited', () => {
    const slots = toSlots({ ...figures, since: 0 });
    expect(slots.length).to.be.within(1, 2);
    expect(slots.reduce((sum, { failed }) => sum + failed, 0)).to.equal(6);
  });

  it('names hours, days and months', () => {
    const slot = { ...none, received: 0, at: new Date(2026, 2, 9, 14).getTime() };
    const names = (['hour', 'day', 'month'] as const).map((size) => nameSlot(slot, size));
    expect(names).to.deep.equal(['03-09 14:00', '2026-03-09', '2026-03']);
  });
});

describe('drawBars', () => {
  const slots = [
    { name: 'a', bad: 1, good: 3 },
    { name: 'b', bad: 0, good: 0 },
    { name: '<c>', bad: 0, good: 8 },
  ];

  it('stacks the outcomes from the bottom, and leaves out empty ones', () => {
    const chart = drawBars(slots, ['good', 'bad']);
    expect(chart).to.include({ width: 30, top: 8, half: 4 });
    expect(chart.bars).to.deep.equal([
      {
        title: 'a: 3 good, 1 bad',
        pieces: [
          { x: 1, y: 62.5, height: 37.5, kind: 'good' },
          { x: 1, y: 50, height: 12.5, kind: 'bad' },
        ],
      },
      { title: '<c>: 8 good', pieces: [{ x: 21, y: 0, height: 100, kind: 'good' }] },
    ]);
  });

  it('is at least as high as its highest bar, and its half is a whole number', () => {
    for (let many = 0; many < 3000; many += 1) {
      const { top, half } = drawBars([{ name: '', many }], ['many']);
      expect(top).to.be.within(many, Math.max(2, many * 2));
      expect(half % 1).to.equal(0);
    }
  });

  it('names a few places along the axis', () => {
    expect(placeLabels(['x'])).to.deep.equal([{ at: 50, name: 'x' }]);
    expect(placeLabels(Array.from({ length: 25 }, (_, index) => String(index)))).to.have.length(5);
  });
});

describe('the report as text', () => {
  it('shows the outcomes, how long they took, and why blocks failed', () => {
    const text = historyToText(figures);
    for (const part of [
      /^1d up to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\n/,
      /^412 alarms$/m,
      /^ {4}118 {2}proven {4}median 840 ms after the alarm, 95 % within 2\.1 s$/m,
      /^ {6}1 {2}bypassed$/m,
      /^ {6}6 {2}failed {4}4 unreachable, 2 pf refused$/m,
      /^ {6}3 {2}drift {5}edge: last .*, 2 differences$/m,
      /^now: 120 in force \(4 bypassed\), 3 in progress \(2 failing\), 1 given up, 2 held$/m,
      /^\d\d-\d\d \d\d:00 +100 +6 +\. +\. {2}#{36}$/m,
      /^ {4}30 {5}200 {2}203\.0\.113\.7$/m,
    ])
      expect(text).to.match(part);
  });

  it('fits a terminal of 80 columns, whatever the figures', () => {
    const large = 12_345_678;
    const causes = Array.from({ length: 12 }, (_, index) => ({ code: `a_rather_long_cause_${index}`, blocks: large }));
    const hours = figures.hours.map(({ at }) => ({ at, proven: large, bypassed: large, failed: large, held: large, refused: large, released: large, observed: large })); // prettier-ignore
    const drift = [{ firewall: 'x'.repeat(63), times: large, lastAt: until, differences: large }];
    const text = historyToText({ ...figures, causes, hours, drift, alarms: large });
    for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
  });

  it('says that nothing happened', () => {
    expect(historyToText(quiet))
      .to.match(/^0 alarms\n {6}0 {2}proven\n/m)
      .and.include('Nothing happened.');
  });
});

describe('the report as HTML', () => {
  it('is self-contained, and runs nothing', () => {
    const html = historyToHtml(figures, 'siem');
    expect(html)
      .to.match(/^<!doctype html>\n/)
      .and.include("default-src 'none'");
    expect(html).to.not.match(/<script|<link|<img|\ssrc=|href=|url\(|@import|\son\w+=/i);
  });

  it('draws each hour with an outcome, with the figures of the report', () => {
    const html = historyToHtml(figures, 'siem');
    expect(html.match(/<g><title>/g)).to.have.length(2);
    expect(html).to.match(/<title>\d\d-\d\d \d\d:00: 100 proven, 6 failed<\/title>/);
    for (const part of ['>840 ms<', '>2.1 s<', '>pf refused<', '>203.0.113.7<', '<title>Firebreak on siem: 1d up to'])
      expect(html).to.include(part);
  });

  it('writes everything from the ledger as text', () => {
    const evil = '"><script>alert(1)</script>';
    const html = historyToHtml(
      {
        ...figures,
        sources: [{ address: evil, blocks: 1, alarms: 1 }],
        causes: [{ code: evil, blocks: 1 }],
        drift: [{ firewall: evil, times: 1, lastAt: until, differences: 1 }],
      },
      evil,
    );
    expect(html).to.not.include('<script').and.not.include('">&lt;script');
    expect(html.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;/g)).to.have.length(5);
  });

  it('says that nothing happened, and draws no empty chart', () => {
    expect(historyToHtml(quiet, 'siem')).to.include('Nothing happened.').and.not.include('<svg');
  });
});

describe('the report as JSON', () => {
  it('has times in UTC and spans in milliseconds', () => {
    expect(historyToJson(figures)).to.deep.include({
      since: new Date(until - day).toISOString(),
      proof: { median_ms: 840, p95_ms: 2100, slowest_ms: 720_000 },
      now: { active: 120, bypassed: 4, under_way: 3, failing: 2, given_up: 1, held: 2 },
      drift: [{ firewall: 'edge', times: 3, last_at: new Date(until - hour).toISOString(), differences: 2 }],
    });
    expect(historyToJson({ ...quiet, since: 0 })).to.deep.include({ since: null, proof: null, hours: [] });
  });
});
