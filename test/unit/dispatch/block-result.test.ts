import { expect } from 'chai';
import { resultFor } from '#firebreak/dispatch/block-result.js';
import { batchResult, statusResult } from '#firebreak/platforms/ansible/events.js';

const tracker = 2_000_000_001;
const role = { added: [tracker], present: [], removed: [], absent: [], proven: true };
const message = "floating rule 'Allow monitoring' (tracker 7) passes it first";

const read = (more: object, check = false) =>
  resultFor({ tracker, desired: 'present' }, { kind: 'done', result: batchResult.parse({ ...role, ...more }) }, check);

describe('what a run tells of a proof', () => {
  it('is settled with its level, whatever that is', () => {
    for (const level of ['decides', 'listed', 'shadowed', 'unreachable_path']) {
      const proof = [
        { tracker: 2_000_000_002, level: 'listed', message: 'another' },
        { tracker, level, message },
      ];
      const told = { level, message: level === 'decides' ? '' : message }; // what decides needs no reason
      expect(read({ proof })).to.deep.equal({ kind: 'settled', changed: true, proof: told });
    }
  });

  it('names the host behind a port forward, where the packets are stopped', () => {
    const proof = [{ tracker, level: 'decides', message: '' }];
    const told = (followed: object[]) => read({ proof, followed });
    expect(told([{ tracker, destination: '192.168.1.10', port: '22' }])).to.have.nested.property(
      'proof.message',
      'at 192.168.1.10 port 22, where the firewall forwards it',
    );
    expect(told([{ tracker: 2_000_000_002, destination: '192.168.1.9', port: '' }])).to.have.nested.property(
      'proof.message',
      '',
    );
    const evil = { tracker, destination: '192.168.1.10', port: '22\n' };
    expect(batchResult.safeParse({ ...role, followed: [evil] }).success).to.equal(false);
  });

  it('is "listed" where the playbook tells nothing of it; a dry run proves nothing', () => {
    const listed = { level: 'listed', message: 'this playbook does not tell who decides' };
    for (const more of [{}, { proof: [] }, { proof: [{ tracker: 2_000_000_002, level: 'decides', message }] }])
      expect(read(more)).to.deep.equal({ kind: 'settled', changed: true, proof: listed });
    expect(read({}, true)).to.deep.equal({ kind: 'settled', changed: true, proof: undefined });
  });

  it('is nothing for a release', () => {
    const result = batchResult.parse({ ...role, added: [], removed: [tracker], proof: [] });
    expect(resultFor({ tracker, desired: 'absent' }, { kind: 'done', result }, false)).to.deep.equal({
      ...{ kind: 'settled', changed: true, proof: undefined },
    });
  });

  it('has its exact shape, or the whole result is refused', () => {
    const entry = { tracker, level: 'decides', message };
    for (const bad of [
      { level: 'disabled' },
      { level: 1 },
      { message: 'x'.repeat(301) },
      { message: null },
      { tracker: '1' },
    ])
      expect(batchResult.safeParse({ ...role, proof: [{ ...entry, ...bad }] }).success, JSON.stringify(bad)).to.equal(
        false,
      );
    const evil = batchResult.parse({ ...role, proof: [{ ...entry, message: 'a\u001b[2K\r\nb\u202e' }] });
    expect(evil.proof?.[0]?.message).to.equal('a?[2K??b?');
  });

  it('is optional in a status as well', () => {
    const rule = {
      ...{ tracker, type: 'block', interface: 'wan', ipprotocol: 'inet', protocol: 'tcp', source: '203.0.113.7' },
      ...{ destination: '192.168.1.10', port: '22', description: '', changed: false, why: null, proven: true },
    };
    const parse = (more: object) => statusResult.safeParse({ standing: [{ ...rule, ...more }], only_in_pf: [] });
    expect(parse({}).success).to.equal(true);
    expect(parse({ proof: 'shadowed', proof_message: message }).data?.standing[0]).to.include({ proof: 'shadowed' });
    expect(parse({ proof: 'maybe' }).success).to.equal(false);
  });
});
