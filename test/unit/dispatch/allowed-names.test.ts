import { expect } from 'chai';
import type { Allowance } from '#firebreak/core/allowance.js';
import { addressesOf, findGrace, isHostName } from '#firebreak/core/allowance.js';
import { refreshNames } from '#firebreak/dispatch/allowed-names.js';

const anAllowance = (changes: Partial<Allowance>): Allowance => ({
  ...{ kind: 'allow', address: 'dns.example', firewall: '', until: null, reason: '', by: 'a test', createdAt: 0 },
  resolved: ['192.0.2.53'],
  ...changes,
});

describe('the names on the allowlist', () => {
  it('are resolved anew; one that does not resolve keeps its last addresses', async () => {
    const recorded: unknown[] = [];
    const ledger = {
      findSeen: () =>
        Promise.resolve({
          addresses: {},
          callers: [],
          allowances: [
            anAllowance({}),
            anAllowance({ address: 'gone.example' }),
            anAllowance({ address: 'same.example' }),
            anAllowance({ address: '198.51.100.9', resolved: [] }),
          ],
        }),
      recordResolved: (...call: unknown[]) => Promise.resolve(void recorded.push(call)),
    };
    const names: string[] = [];
    const found: Record<string, string[]> = { 'dns.example': ['192.0.2.54'], 'same.example': ['192.0.2.53'] };
    await refreshNames(ledger, (name) => Promise.resolve((names.push(name), found[name] ?? [])));
    expect(names).to.deep.equal(['dns.example', 'gone.example', 'same.example']);
    expect(recorded).to.deep.equal([['dns.example', ['192.0.2.54']]]);
  });

  it('stand for their addresses', () => {
    expect(addressesOf(anAllowance({}))).to.deep.equal(['192.0.2.53']);
    expect(addressesOf(anAllowance({ address: '198.51.100.0/24', resolved: [] }))).to.deep.equal(['198.51.100.0/24']);
    expect(['a', 'dns.example', 'a-b.c1'].every(isHostName)).to.equal(true);
    expect(['', '1.2', 'a..b', '-a', 'a b', `${'a'.repeat(64)}.b`, 'a;b'].some(isHostName)).to.equal(false);
  });

  it('a grace time is that of a source or a network, on its firewall', () => {
    const grace = anAllowance({
      kind: 'grace',
      address: '203.0.113.0/24',
      firewall: 'edge',
      until: 1_000,
      resolved: [],
    });
    const isGraced = (source: string, firewall: string): boolean =>
      findGrace({ source }, firewall, [grace]) !== undefined;
    expect(isGraced('203.0.113.7', 'edge')).to.equal(true);
    expect(isGraced('203.0.114.7', 'edge')).to.equal(false);
    expect(isGraced('203.0.113.7', 'inner')).to.equal(false);
    expect(findGrace({ source: '203.0.113.7' }, 'edge', [anAllowance({ address: '203.0.113.7' })])).to.equal(undefined);
  });
});
