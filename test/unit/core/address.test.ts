import { expect } from 'chai';
import fc from 'fast-check';
import { contains, overlaps, parseAddress, type Address } from '#firebreak/core/address.js';

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.address;
}

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6().filter((text) => !text.includes('.'));

describe('parseAddress', () => {
  for (const [text, canonical, family, prefix] of [
    ['203.0.113.7', '203.0.113.7', 'inet', 32],
    ['203.0.113.7/32', '203.0.113.7', 'inet', 32],
    ['203.0.113.0/24', '203.0.113.0/24', 'inet', 24],
    ['2001:DB8:0:0:0:0:0:7', '2001:db8::7', 'inet6', 128],
    ['2001:db8::7/128', '2001:db8::7', 'inet6', 128],
    ['2001:db8::/32', '2001:db8::/32', 'inet6', 32],
    ['[2001:db8::9]', '2001:db8::9', 'inet6', 128],
    ['[2001:db8::]/32', '2001:db8::/32', 'inet6', 32],
  ] as const) {
    it(`spells ${text} as ${canonical}`, () => {
      expect(parseAddress(text)).to.deep.equal({ ok: true, address: { text: canonical, family, prefix } });
    });
  }

  for (const [text, message] of [
    ['', 'expected an IPv4 or IPv6 address, got ""'],
    ['203.0.113', 'expected an IPv4 or IPv6 address, got "203.0.113"'],
    ['0xcb.0.113.7', 'expected an IPv4 or IPv6 address, got "0xcb.0.113.7"'],
    ['203.0.113.007', 'leading zeros are ambiguous (octal?): got "203.0.113.007"'],
    ['evil.example', 'expected an IP address, got the name "evil.example": a firewall rule needs the address itself'],
    ['fe80::1%em0', 'expected an address without a zone, got "fe80::1%em0"; remove the "%…"'],
    ['::ffff:1.2.3.4/64', 'expected a prefix length of 96-128, got "::ffff:1.2.3.4/64"'],
    ['203.0.113.7/33', 'expected a prefix length of 0-32, got "203.0.113.7/33"'],
    ['203.0.113.7/', 'expected a prefix length of 0-32, got "203.0.113.7/"'],
    ['203.0.113.7/024', 'expected a prefix length of 0-32, got "203.0.113.7/024"'],
    ['203.0.113.7/24', '203.0.113.7/24 has host bits set: give 203.0.113.7 for the host or 203.0.113.0/24'],
    ['203.0.113.0/24/8', 'expected an address or address/length, got "203.0.113.0/24/8"'],
    ['[203.0.113.7]', 'expected an IPv4 or IPv6 address, got "[203.0.113.7]"'],
    ['203.0.113.7\n', 'expected an IPv4 or IPv6 address, got "203.0.113.7?"'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)} with a sentence`, () => {
      expect(parseAddress(text)).to.deep.equal({ ok: false, message });
    });
  }

  it('takes an IPv4 address in IPv6 spelling for what it is', () => {
    expect(address('::ffff:203.0.113.7')).to.deep.equal({ text: '203.0.113.7', family: 'inet', prefix: 32 });
    expect(address('::FFFF:cb00:7107').text).to.equal('203.0.113.7');
    expect(address('::ffff:203.0.113.0/120').text).to.equal('203.0.113.0/24');
  });

  it('gives a spelling that it reads back as itself', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (text) => {
        const parsed = parseAddress(text);
        return !parsed.ok || address(parsed.address.text).text === parsed.address.text;
      }),
    );
  });

  it('never throws, and tells of anything that it refuses in one printable line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseAddress(text);
        return parsed.ok || /^[\x20-\x7e…]+$/.test(parsed.message);
      }),
    );
  });
});

describe('overlaps and contains', () => {
  it('know a network, what lies in it, and what does not', () => {
    const network = address('192.0.2.0/28');
    expect(overlaps(network, address('192.0.2.15'))).to.equal(true);
    expect(overlaps(address('192.0.2.15'), network)).to.equal(true);
    expect(overlaps(network, address('192.0.2.16'))).to.equal(false);
    expect(overlaps(address('0.0.0.0/0'), address('2001:db8::1'))).to.equal(false);
    expect(contains(network, address('192.0.2.3'))).to.equal(true);
    expect(contains(address('192.0.2.3'), network)).to.equal(false);
  });

  it('know for any IPv4 host the networks that contain it', () => {
    const network = fc.integer({ min: 0, max: 32 });
    fc.assert(
      fc.property(ipv4, network, (text, prefix) => {
        const bits = text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
        const first = bits - (bits % 2 ** (32 - prefix));
        const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
        return contains(address(`${bytes.join('.')}/${prefix}`), address(text));
      }),
    );
  });

  it('agree for any two IPv4 hosts with equality', () => {
    fc.assert(
      fc.property(
        ipv4,
        ipv4,
        (one, other) => overlaps(address(one), address(other)) === (address(one).text === address(other).text),
      ),
    );
  });
});
