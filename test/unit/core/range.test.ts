import { expect } from 'chai';
import fc from 'fast-check';
import { contains, parseAddress, parseRange, type Address } from '#firebreak/core/address.js';

const texts = (text: string): string[] => {
  const parsed = parseRange(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.networks.map((network) => network.text);
};

function ipv4(value: number): Address {
  const parsed = parseAddress([24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.'));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.address;
}

describe('parseRange', () => {
  for (const [text, networks] of [
    ['192.0.2.1', ['192.0.2.1']],
    ['192.0.2.0/28', ['192.0.2.0/28']],
    ['192.0.2.0-192.0.2.255', ['192.0.2.0/24']],
    ['192.0.2.1 - 192.0.2.4', ['192.0.2.1', '192.0.2.2/31', '192.0.2.4']],
    ['0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
    ['2001:db8::fffe-2001:db8::1:1', ['2001:db8::fffe/127', '2001:db8::1:0/127']],
  ] as const) {
    it(`reads ${text}`, () => {
      expect(texts(text)).to.deep.equal(networks);
    });
  }

  for (const text of ['192.0.2.9-192.0.2.1', '192.0.2.1-2001:db8::1', '192.0.2.0/28-192.0.2.99', 'a-b', '1-2-3', '']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(parseRange(text).ok).to.equal(false);
    });
  }

  it('holds each address from the first to the last, and no other', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.nat(2200), (start, length, probe) => {
        const base = 0xc0000200;
        const [first, last, asked] = [base + start, base + start + length, base + probe].map(ipv4);
        const parsed = parseRange(`${first!.text}-${last!.text}`);
        if (!parsed.ok) return false;
        const isIn = parsed.networks.some((network) => contains(network, asked!));
        return isIn === (probe >= start && probe <= start + length);
      }),
    );
  });
});
