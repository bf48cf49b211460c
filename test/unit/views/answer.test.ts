import { expect } from 'chai';
import { formatLocal } from '#firebreak/core/local-time.js';
import { refuse, type Block } from '#firebreak/core/block.js';
import type { Answer } from '#firebreak/core/outcome.js';
import { answerToJson, errorToJson } from '#firebreak/views/json.js';
import { answerToText } from '#firebreak/views/answer.js';
import { aBlock, anActiveBlock } from '../../fixtures.js';

const fresh = aBlock();
const active = anActiveBlock();
const fail = (failure: Block['failure'], reason: string): Block =>
  aBlock({ claimedRevision: 1, doneRevision: 1, failure, reason });
const noon = new Date(2026, 10, 30, 12, 0).getTime();
const run = { id: '01RUN', ms: 1412, batch: 1 };

function answer(blocks: Block[], more: Partial<Answer> = {}): Answer {
  return { alarm: '01ALARM', check: false, blocks, run, ...more };
}

describe('answerToText', () => {
  const what = '203.0.113.7 -> 192.168.1.10 tcp/22 on wan';
  const id = '(id 1BLOCK, no end)';
  for (const [title, given, text] of [
    ['a new block', answer([active]), `edge: blocked ${what}: in force and proven, tracker 2000000001, 1.4 s ${id}`],
    [
      'an existing block',
      answer([{ ...active, changed: false }], { run: null }),
      `edge: already blocked ${what}: in force and proven, tracker 2000000001 ${id}`,
    ],
    [
      'a block whose proof is older than the request',
      answer([{ ...active, changed: false, provenAt: 1_000_000, updatedAt: 1_040_000 }], { run: null }),
      `edge: already blocked ${what}: in force, proven 40s ago, tracker 2000000001 ${id}`,
    ],
    [
      'a block that is not proven to decide',
      answer([{ ...active, proof: 'listed', proofMessage: 'not told' }]),
      `edge: blocked ${what}, tracker 2000000001, 1.4 s: in force; not proven to decide: not told ${id}`,
    ],
    [
      'a block whose packets are not stopped',
      answer([{ ...active, proof: 'shadowed', proofMessage: "floating rule 'a' (tracker 7) passes it first" }]),
      `edge: NOT blocked ${what}, tracker 2000000001, 1.4 s: the rule stands, but the packet is not stopped: floating rule 'a' (tracker 7) passes it first ${id}`,
    ],
    [
      'a dry run that finds such a rule',
      answer([{ ...active, changed: false, proof: 'unreachable_path', proofMessage: 'same subnet' }], { check: true }),
      `edge: NOT blocked ${what}, tracker 2000000001: the rule stands, but the packet is not stopped: same subnet (dry run: nothing to change)`,
    ],
    ['a refusal', answer([refuse(fresh, 'refused: ours')]), `edge: NOT blocked ${what}: refused: ours (id 1BLOCK)`],
    [
      'an unreachable firewall',
      answer([fail('unreachable', 'no answer')]),
      `edge: NOT blocked ${what}: the firewall is unreachable: no answer; queued for retry ${id}`,
    ],
    [
      'a failure',
      answer([fail('failed', 'pf refused')]),
      `edge: NOT blocked ${what}: pf refused; queued for retry ${id}`,
    ],
    [
      'a stopped run',
      answer([fail('stopped', 'it took too long')]),
      `edge: NOT known to be blocked ${what}: it took too long; queued for retry ${id}`,
    ],
    [
      'a block whose end was moved',
      answer([{ ...active, expiresAt: noon, provenAt: noon - 3_600_000, updatedAt: noon - 3_600_000 }], {
        extended: ['01BLOCK'],
      }),
      `edge: blocked ${what}: in force and proven, tracker 2000000001, 1.4 s (id 1BLOCK, extended to Mon 12:00)`,
    ],
    [
      'a second release',
      answer([{ ...active, state: 'released', reason: 'released by ann', updatedAt: noon }], { past: ['01BLOCK'] }),
      `edge: already released ${what}: released by ann, ${formatLocal(noon)} (id 1BLOCK)`,
    ],
    [
      'a dry run',
      answer([{ ...fresh, changed: true }], { check: true }),
      `edge: would block ${what}, tracker 2000000001 (dry run: nothing was changed)`,
    ],
  ] as const) {
    it(`describes ${title} in one line`, () => {
      expect(answerToText(given)).to.equal(text);
    });
  }

  it('has a line for each firewall', () => {
    expect(answerToText(answer([active, { ...active, firewall: 'depot' }])).split('\n')).to.have.length(2);
  });
});

describe('answerToJson', () => {
  it('is as bad as its worst block', () => {
    const json = answerToJson(answer([active, fail('failed', 'x'), fail('unreachable', 'y')]));
    expect(json).to.include({ state: 'pending', exit: 5, alarm: '01ALARM' });
    expect(json).to.not.have.property('check');
  });

  it('gives times in UTC, null for a permanent block, and the run', () => {
    const json = answerToJson(answer([{ ...active, expiresAt: 86_400_000 }, active]));
    expect(json.blocks).to.have.length(2);
    expect(json.blocks[0]).to.include({
      created_at: '1970-01-01T00:00:00.000Z',
      expires_at: '1970-01-02T00:00:00.000Z',
    });
    expect(json.blocks[1]).to.include({ expires_at: null, reason: null });
    expect(json.run).to.deep.equal(run);
  });

  it('has the level of each proof, and a warning where it is not enough', () => {
    const decides: Block = { ...active, proof: 'decides', proofMessage: 'yes' };
    const listed: Block = { ...active, proof: 'listed', proofMessage: 'not told' };
    const json = answerToJson(answer([decides, listed]));
    expect(json).to.include({ state: 'active', exit: 0 });
    expect(json.blocks[0]).to.include({ proof: 'decides', warning: null });
    expect(json.blocks[1]).to.include({ proof: 'listed', warning: 'in force; not proven to decide: not told' });
    expect(answerToJson(answer([decides, listed], { requiredProof: 'decides' }))).to.include({ exit: 9 });
    expect(answerToJson(answer([{ ...active, proof: 'shadowed' }]))).to.include({ state: 'active', exit: 9 });
    expect(answerToJson(answer([fresh])).blocks[0]).to.include({ proof: null, warning: null });
  });

  it('marks a dry run', () => {
    expect(answerToJson(answer([active], { check: true }))).to.include({ check: true });
  });

  it('gives an error its code, sentence and exit code', () => {
    expect(errorToJson({ code: 'usage', message: 'no', exit: 2 })).to.deep.equal({
      error: { code: 'usage', message: 'no', exit: 2 },
    });
  });
});
