import { expect } from 'chai';
import { blockStates } from '#firebreak/core/block.js';
import { markOf, momentOf, sentenceOfProof, toBlockRow } from '#firebreak/views/block-row.js';
import { aBlock, anActiveBlock } from '../../fixtures.js';

describe('a block as a row of the page', () => {
  it('has a word and a tone for each state, and a shape or a movement besides', () => {
    for (const state of blockStates) {
      const { word, shape, isMoving } = markOf(aBlock({ state }));
      expect({ state, isNamed: word !== '', isShaped: shape !== '' || isMoving }).to.deep.equal({
        ...{ state, isNamed: true, isShaped: true },
      });
    }
  });

  it('tells a release under way from one that fails', () => {
    expect(markOf(aBlock({ state: 'releasing' }))).to.include({ word: 'releasing', isMoving: true });
    expect(markOf(aBlock({ state: 'releasing', failure: 'unreachable' }))).to.include({
      word: 'release failing',
      tone: 'bad',
    });
  });

  it('says of a rule that another one precedes that it does not stop the packet', () => {
    const block = anActiveBlock({ proof: 'shadowed', proofMessage: 'rule 12 passes them' });
    expect(markOf(block)).to.include({ word: 'bypassed', tone: 'bad' });
    expect(sentenceOfProof(block)).to.equal('The rule stands, but the packet is not stopped: rule 12 passes them');
  });

  it('says how many packets it has stopped, and whether they still come', () => {
    const block = anActiveBlock({ packets: 1234, packetsAt: 1_000_000 });
    const soon = 1_000_000 + 3_600_000;
    expect(toBlockRow({ block, origin: null }, soon).packets).to.equal('Still coming: at least 1,234 packets stopped');
    const later = 'At least 1,234 packets stopped, the last noticed 3h ago';
    expect(toBlockRow({ block, origin: null }, 1_000_000 + 3 * 3_600_000).packets).to.equal(later);
    const ended = { ...block, state: 'released' as const, packets: 1 };
    expect(toBlockRow({ block: ended, origin: null }, soon).packets).to.equal(
      'At least 1 packet stopped, the last noticed 1h ago',
    );
    expect(toBlockRow({ block: anActiveBlock({}), origin: null }, soon).packets).to.equal('');
  });

  it('gives a time relative to now, and the exact one with its zone besides', () => {
    const now = Date.UTC(2026, 0, 2, 3, 4, 5);
    expect(momentOf(now - 3 * 3_600_000, now)).to.include({ text: '3h ago', iso: '2026-01-02T00:04:05.000Z' });
    expect(momentOf(now + 60_000, now)).to.include({ text: 'in 1m' });
    expect(momentOf(now, now).title).to.include('UTC');
  });

  it('has no control character in a text, and names no service without a port', () => {
    const row = toBlockRow({ block: aBlock({ comment: 'a\u001b[31mb' }), origin: 'x\u202ey' }, 0);
    expect(row.comment).not.to.include('\u001b');
    expect(row.by).not.to.include('\u202e');
    expect(row).to.include({ until: null, service: 'tcp/22' });
  });
});
