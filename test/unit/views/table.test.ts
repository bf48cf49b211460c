import { expect } from 'chai';
import fc from 'fast-check';
import type { Block } from '#firebreak/core/block.js';
import { toCsvPages, toJsonPages, toList, toListPages } from '#firebreak/views/block-table.js';
import { describeDoing } from '#firebreak/views/progress-line.js';
import { toTable } from '#firebreak/views/table.js';
import { aBlock } from '../../fixtures.js';

const headings = ['STATE', 'SOURCE', 'WHY', 'ALARMS'];
const right = new Set(['ALARMS']);

describe('toTable', () => {
  it('is as wide as its content, with numbers to the right', () => {
    expect(toTable(headings, [['active', '203.0.113.7', 'ssh', '12']], { right })).to.equal(
      'STATE   SOURCE       WHY  ALARMS\nactive  203.0.113.7  ssh      12',
    );
  });

  it('wraps if it would be too wide: at a space, else at the width', () => {
    const row = ['active', '2001:db8:aaaa:bbbb::7', 'an ssh anomaly', '12'];
    expect(toTable(headings, [row], { right, width: 40 })).to.equal(
      [
        'STATE   SOURCE       WHY          ALARMS',
        'active  2001:db8:aa  an ssh           12',
        '        aa:bbbb::7   anomaly',
      ].join('\n'),
    );
  });

  it('fits any width that leaves each column its minimum, and loses no letter', () => {
    const text = fc.stringMatching(/^[a-z0-9:.]{0,40}$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, text), { maxLength: 5 }),
        fc.integer({ min: 40, max: 200 }),
        (rows, width) => {
          const table = toTable(['ONE', 'TWO', 'THREE'], rows, { width });
          expect(Math.max(...table.split('\n').map(({ length }) => length))).to.be.at.most(width);
          const letters = (all: string): string => Array.from(all.replace(/\s/g, '')).sort().join('');
          expect(letters(table)).to.equal(letters(`ONETWOTHREE${rows.flat().join('')}`));
        },
      ),
    );
  });
});

describe('describeDoing', () => {
  const doings = [
    { firewall: 'edge', what: 'pfsense : Reload the rules', ms: 3400 },
    { firewall: 'inner', what: 'Ansible starts', ms: 10 },
  ];

  it('names firewall, task and seconds', () => {
    expect(describeDoing(doings, 80)).to.equal('edge: Reload the rules (3 s) | inner: Ansible starts (0 s)');
  });

  it('is truncated at the width of the terminal', () => {
    const line = describeDoing(doings, 20);
    expect(line).to.equal('edge: Reload the r…');
    expect(line.length).to.be.below(20);
  });
});

describe('a list of any number of blocks', () => {
  const pages = [[aBlock({ id: 'A1AAAAAA', alarms: 7 })], [aBlock({ id: 'B2BBBBBB', alarms: 12_345 })]];
  const read = async function* (from: Block[][] = pages) {
    for (const page of from) yield await Promise.resolve(page);
  };
  const join = async (pieces: AsyncIterable<string>): Promise<string> => {
    let text = '';
    for await (const piece of pieces) text += piece;
    return text;
  };

  it('is the table that all of them together would be', async () => {
    expect(await join(toListPages(read, { now: 0 }))).to.equal(`${toList(pages.flat(), { now: 0 })}\n`);
    expect(await join(toListPages(() => read([]), { now: 0 }))).to.equal('no blocks\n');
  });

  it('is read twice: to measure, and to write', async () => {
    let times = 0;
    await join(toListPages(() => ((times += 1), read()), { now: 0 }));
    expect(times).to.equal(2);
  });

  it('is one JSON document, and one CSV with one line of headings', async () => {
    const { blocks } = JSON.parse(await join(toJsonPages(read()))) as { blocks: { id: string }[] };
    expect(blocks.map(({ id }) => id)).to.deep.equal(['A1AAAAAA', 'B2BBBBBB']);
    expect(JSON.parse(await join(toJsonPages(read([]))))).to.deep.equal({ blocks: [] });
    expect((await join(toCsvPages(read()))).split('\n').map((line) => line.split(',')[0])).to.deep.equal([
      'id',
      'A1AAAAAA',
      'B2BBBBBB',
      '',
    ]);
  });
});
