import { expect } from 'chai';
import fc from 'fast-check';
import { parseAddress } from '#firebreak/core/address.js';
import { alwaysProtected, findRefusal, type Policy } from '#firebreak/core/policy.js';
import { aFlow } from '../../fixtures.js';

const flow = aFlow();

function protect(text: string, reason: string): Policy['protections'][number] {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return { address: parsed.address, reason };
}

const policy: Policy = {
  protections: [...alwaysProtected, protect('192.0.2.0/28', 'ours'), protect('2001:db8:1::/64', 'ours as well')],
  types: ['block', 'reject'],
  nat64: [protect('2001:db8:64::/48', '').address, protect('2001:db8:96::/96', '').address],
};

describe('findRefusal', () => {
  it('lets a flow pass that touches nothing protected', () => {
    expect(findRefusal(flow, policy)).to.equal(undefined);
  });

  it('protects an end alone where only that end is protected', () => {
    const [source, destination] = [protect(flow.source, 'ours'), protect(flow.destination, 'ours')];
    const refusalOf = (...protections: Policy['protections']): string | undefined =>
      findRefusal(flow, { ...policy, protections });
    expect(refusalOf({ ...source, end: 'source' })).to.include(`${flow.source} is ours`);
    expect(refusalOf({ ...destination, end: 'destination' })).to.include(`${flow.destination} is ours`);
    expect(refusalOf({ ...source, end: 'destination' }, { ...destination, end: 'source' })).to.equal(undefined);
  });

  for (const [source, reason] of [
    ['127.0.0.1', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['192.0.2.3', 'ours'],
  ] as const) {
    it(`refuses ${source}: ${reason}`, () => {
      expect(findRefusal({ ...flow, source }, policy)).to.include(`${source} is ${reason}`);
    });
  }

  for (const [source, sentence] of [
    ['192.0.2.3', 'refused: 192.0.2.3 is ours (protected always)'],
    ['192.0.0.0/16', 'refused: 192.0.0.0/16 contains 192.0.2.0/28, which is ours (protected always)'],
    ['2002:c000:203::1', 'refused: 2002:c000:203::1 embeds 192.0.2.3, which is ours (protected always)'],
    ['64:ff9b::c000:203', 'refused: 64:ff9b::c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    ['2001:0:c000:203::1', 'refused: 2001:0:c000:203::1 embeds 192.0.2.3, which is ours (protected always)'],
    [
      '2001:0:4136:e378::3fff:fdfc',
      'refused: 2001:0:4136:e378::3fff:fdfc embeds 192.0.2.3, which is ours (protected always)',
    ],
    [
      '2002:c000::/32',
      'refused: 2002:c000::/32 embeds 192.0.0.0/16, which contains 192.0.2.0/28, which is ours (protected always)',
    ],
    ['::c000:203', 'refused: ::c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    ['::ffff:0:c000:203', 'refused: ::ffff:0:c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    ['64:ff9b:1:c000:2:300::', 'refused: 64:ff9b:1:c000:2:300:: embeds 192.0.2.3, which is ours (protected always)'],
    ['64:ff9b:1:c0:0:203::', 'refused: 64:ff9b:1:c0:0:203:: embeds 192.0.2.3, which is ours (protected always)'],
    ['64:ff9b:1:0:c0:2:300:0', 'refused: 64:ff9b:1:0:c0:2:300:0 embeds 192.0.2.3, which is ours (protected always)'],
    ['64:ff9b:1::c000:203', 'refused: 64:ff9b:1::c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    ['2001:db8::5efe:c000:203', 'refused: 2001:db8::5efe:c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    ['fd00::200:5efe:c000:203', 'refused: fd00::200:5efe:c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    [
      '2001:db8:64:c000:2:300::',
      'refused: 2001:db8:64:c000:2:300:: embeds 192.0.2.3, which is ours (protected always)',
    ],
    ['2001:db8:96::c000:203', 'refused: 2001:db8:96::c000:203 embeds 192.0.2.3, which is ours (protected always)'],
    ['2002:7f00:1::', 'refused: 2002:7f00:1:: embeds 127.0.0.1, which is loopback (protected always)'],
  ] as const) {
    it(`says it in one sentence: ${sentence}`, () => {
      expect(findRefusal({ ...flow, source }, policy)).to.equal(sentence);
      expect(findRefusal({ ...flow, destination: source }, policy)).to.equal(sentence);
    });
  }

  it('does not say "always" of what the configuration lists', () => {
    const listed = [{ ...protect('192.0.2.9', 'protected by policy.never_block'), isListed: true }];
    expect(findRefusal({ ...flow, source: '192.0.2.9' }, { ...policy, protections: listed })).to.equal(
      'refused: 192.0.2.9 is protected by policy.never_block',
    );
  });

  it('refuses a protected destination, in IPv6 too', () => {
    const ends = { source: '2001:db8:ffff::7', destination: '2001:db8:1::10' };
    expect(findRefusal({ ...flow, ...ends, ipprotocol: 'inet6' }, policy)).to.include('ours as well');
  });

  it('refuses a type that the policy does not list', () => {
    expect(findRefusal({ ...flow, type: 'reject' }, { ...policy, types: ['block'] })).to.equal(
      'refused: type "reject" is not among policy.types (block)',
    );
  });

  it('never lets an address of a protected network pass', () => {
    fc.assert(
      fc.property(fc.nat(15), (last) => findRefusal({ ...flow, source: `192.0.2.${last}` }, policy) !== undefined),
    );
  });
});
