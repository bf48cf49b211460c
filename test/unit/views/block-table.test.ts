import { expect } from 'chai';
import type { Block } from '#firebreak/core/block.js';
import { toCsvPages, toList, toListPages } from '#firebreak/views/block-table.js';
import { countWarnings } from '#firebreak/views/warning.js';
import { detailsToText } from '#firebreak/views/show.js';
import { aFlow, anActiveBlock } from '../../fixtures.js';

const proofMessage = "floating rule 'Allow monitoring' (tracker 7) passes it first";
const shadowed = anActiveBlock({ proof: 'shadowed', proofMessage });
const listed = anActiveBlock({ proof: 'listed', proofMessage: 'not told' });
const decides = anActiveBlock({ proof: 'decides', proofMessage: 'at 192.168.1.10 port 22' });

/** One block a page. */
// eslint-disable-next-line @typescript-eslint/require-await -- the ledger reads its pages
async function* toPages(blocks: readonly Block[]): AsyncGenerator<Block[]> {
  for (const block of blocks) yield [block];
}

async function collect(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

describe('a list of blocks', () => {
  it('marks a rule that does not stop its packets, and one that is not proven to, and says what the marks mean', () => {
    const [, first = '', second = '', third = '', ...legend] = toList([shadowed, listed, decides], { now: 0 }).split(
      '\n',
    );
    expect([first, second, third].map((line) => line.slice(0, 9))).to.deep.equal([
      'active ! ',
      'active ? ',
      'active   ',
    ]);
    expect(legend).to.deep.equal([
      '',
      '! the rule stands, but the packet is not stopped',
      '? in force; not proven to decide',
      'why: firebreak show ID',
    ]);
  });

  it('has neither mark nor legend where every block is proven', () => {
    expect(toList([decides, anActiveBlock()], { now: 0 })).to.not.match(/[!?]|show ID/);
  });

  it('fits 80 columns, marks included', () => {
    const flow = aFlow({ source: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:7', destination: '2001:db8:1:2:3:4:5:6' });
    const wide = { ...shadowed, flow, firewall: 'a-firewall-of-some-office', alarms: 12_345 };
    for (const line of toList([wide, decides], { now: 90_000_000 }).split('\n'))
      expect(line.length, line).to.be.at.most(80);
  });

  it('is the same page by page', async () => {
    const blocks = [shadowed, listed, decides];
    const pages = toListPages(() => toPages(blocks), { now: 0 });
    expect(await collect(pages)).to.equal(`${toList(blocks, { now: 0 })}\n`);
  });

  it('has one row for a flow on two firewalls, in 80 columns, also where pages divide it', async () => {
    const blocks = ['edge', 'depot'].map((firewall) => ({ ...decides, id: `01${firewall}`, firewall }));
    const text = toList(blocks, { now: 0 });
    expect(text.split('\n')).to.have.length(2);
    expect(text)
      .to.match(/edge depot .*01edge \+1$/m)
      .and.not.match(/^.{81}/m);
    expect(await collect(toListPages(() => toPages(blocks), { now: 0 }))).to.equal(`${text}\n`);
    const ended = { ...blocks[1]!, state: 'held' as const };
    expect(toList([blocks[0]!, ended], { now: 0 }).split('\n')).to.have.length(3);
  });

  it('shows when a block ends, and below it the reason of its state', () => {
    const at = new Date(2026, 10, 30, 12, 0).getTime();
    const failed = anActiveBlock({ state: 'failed', reason: 'no route to host', expiresAt: at });
    const [, row, reason] = toList([failed], { now: at - 3_600_000 }).split('\n');
    expect(row).to.match(/^failed +203.0.113.7 .* Mon 12:00 /);
    expect(reason).to.equal('    no route to host');
    expect(toList([failed], { now: at - 30 * 86_400_000 })).to.match(/ 2026-11-30 /);
  });

  it('shows what a block is for if the terminal is wide', () => {
    expect(toList([decides], { now: 0 })).to.not.include('a test');
    expect(toList([decides], { now: 0, width: 120 })).to.match(/ID {5,}DESCRIPTION\n.* a test$/);
  });

  it('colours the state only, and only if asked', () => {
    const [, row = ''] = toList([shadowed], { now: 0, colour: true }).split('\n');
    expect(row.startsWith('\u001b[32mactive\u001b[0m !  203.0.113.7')).to.equal(true);
    expect(toList([shadowed], { now: 0 })).to.not.include('\u001b');
  });

  it('has level and warning as CSV', async () => {
    const [heading = '', row = ''] = (await collect(toCsvPages(toPages([listed])))).split('\n');
    expect(heading).to.match(/,reason,proof,warning,tags,packets,packets_at$/);
    expect(row).to.match(/,,listed,in force; not proven to decide: not told,,0,$/);
  });
});

describe('the warnings of many blocks', () => {
  it('are counted, the most frequent first; only the first three are listed', () => {
    const others = ['a', 'b', 'c'].map((message) => anActiveBlock({ proof: 'shadowed', proofMessage: message }));
    expect(countWarnings([decides, ...others, listed, listed])).to.deep.equal([
      '2 blocks: in force; not proven to decide: not told',
      '1 block: the rule stands, but the packet is not stopped: a',
      '1 block: the rule stands, but the packet is not stopped: b',
      '1 more block with a warning: firebreak list',
    ]);
    expect(countWarnings([decides])).to.deep.equal([]);
  });
});

describe('a block in detail', () => {
  const show = (block: typeof decides): string => detailsToText({ block, alarms: [], record: undefined, now: 0 });

  it('says what its proof is worth', () => {
    expect(show(decides)).to.match(/^proof {8}in force and proven at 192.168.1.10 port 22$/m);
    expect(show(listed)).to.match(/^proof {8}in force; not proven to decide: not told$/m);
    expect(show(shadowed)).to.include(`proof        the rule stands, but the packet is not stopped: ${proofMessage}`);
    expect(show(anActiveBlock())).to.not.match(/^proof /m);
  });
});
