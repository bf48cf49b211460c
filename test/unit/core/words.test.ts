import { expect } from 'chai';
import fc from 'fast-check';
import { describeError } from '#firebreak/core/describe.js';
import { describeFlow } from '#firebreak/core/describe-flow.js';
import { parseDuration } from '#firebreak/core/duration.js';
import { describeProblem, errorExits, FirebreakError, quoteBack } from '#firebreak/core/errors.js';
import { explainKeyword } from '#firebreak/core/flow.js';
import { aFlow } from '../../fixtures.js';

describe('quoteBack', () => {
  it('quotes words, numbers, lists and nothing', () => {
    expect([quoteBack('22;id'), quoteBack(70000), quoteBack(['a']), quoteBack(undefined)]).to.deep.equal([
      '"22;id"',
      '"70000"',
      '"["a"]"',
      '"undefined"',
    ]);
  });

  it('gives one printable line of at most 62 characters, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: false, withNullPrototype: true }), (value) =>
        /^"[\x20-\x7e]{0,60}"$/.test(quoteBack(value)),
      ),
    );
  });
});

describe('parseDuration', () => {
  it('reads seconds, minutes, hours, days and for ever', () => {
    expect(['90s', '30m', '24h', '7d', 'forever'].map(parseDuration)).to.deep.equal([
      90_000,
      1_800_000,
      86_400_000,
      604_800_000,
      null,
    ]);
  });

  it('knows no other words', () => {
    for (const text of ['', '0s', '5', '1.5h', '-1d', '5 m', '5M', '1h30m', 'ever', '05m']) {
      expect(parseDuration(text), text).to.equal(undefined);
    }
  });
});

describe('explainKeyword', () => {
  it('knows OSSIM’s thirty, whole and in capitals only', () => {
    for (const word of ['SRC_IP', 'DST_PORT', 'USERDATA9', 'BACKLOG_ID']) expect(explainKeyword(word)).to.include(word);
    for (const word of ['src_ip', 'SRC_IP ', 'SRC_IPX', 'USERDATA0', ''])
      expect(explainKeyword(word)).to.equal(undefined);
  });
});

describe('errors', () => {
  it('carry the exit code of their code, and keep their cause', () => {
    const cause = new Error('below');
    const error = new FirebreakError('config_invalid', 'no', { cause });
    expect(error).to.include({ exit: 2, code: 'config_invalid', cause });
    for (const exit of Object.values<number>(errorExits)) expect(exit).to.be.oneOf([2, 3, 4, 5, 6, 7, 75]);
  });

  it('name the place before the sentence, where there is one', () => {
    expect(describeProblem({ path: 'port', message: 'no' })).to.equal('port: no');
    expect(describeProblem({ path: '', message: 'no' })).to.equal('no');
  });

  it('are told in plain words where the field has one', () => {
    expect(describeError(Object.assign(new Error('ENOENT: …'), { code: 'ENOENT' }))).to.equal('no such file');
    expect(describeError(Object.assign(new Error('odd'), { code: 'EODD' }))).to.equal('odd');
    expect(describeError('a word')).to.equal('a word');
  });
});

describe('describeFlow', () => {
  it('shows a flow in one glance, with its port where it has one', () => {
    const flow = aFlow();
    expect(describeFlow(flow)).to.equal('203.0.113.7 -> 192.168.1.10 tcp/22 on wan');
    expect(describeFlow({ ...flow, protocol: 'any', port: '' })).to.equal('203.0.113.7 -> 192.168.1.10 any on wan');
  });
});
