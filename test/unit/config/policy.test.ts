import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import ipaddr from 'ipaddr.js';
import { loadConfig } from '#firebreak/config/load.js';
import { findPolicy } from '#firebreak/config/policy-in-force.js';
import { findThisHost, readThisHost } from '#firebreak/config/this-host.js';
import { parseAddress } from '#firebreak/core/address.js';
import { findProtection, findRefusal } from '#firebreak/core/policy.js';
import { aFlow } from '../../fixtures.js';

/** An address as the kernel writes it: each 32 bits as one number of this machine's byte order. */
function inMemory(text: string): string {
  const bytes = ipaddr.parse(text).toByteArray();
  const words = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(4 * at, 4 * at + 4));
  return words
    .flatMap((word) => (endianness() === 'LE' ? word.reverse() : word))
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

/** As Linux shows them; the byte order of /proc/net/route is this machine's. */
const files: Record<string, string> = {
  '/proc/self/net/route': [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  ].join('\n'),
  '/proc/self/net/ipv6_route': [
    `fd000000000000000000000000000000 40 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000100 00000001 00000000 00000001 eth0`,
    `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 20010db8000100000000000000000001 00000400 1 0 00000003 eth0`,
  ].join('\n'),
  // What /proc/net/tcp shows on a little-endian machine: state 01 is established, 0A listens, 06 is waiting to be closed.
  '/proc/self/net/tcp': [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    `   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1`,
    `   1: ${inMemory('192.168.1.2')}:0016 ${inMemory('198.51.100.30')}:D431 01 00000000:00000000 00:00000000 0 0 0 2`,
    `   2: ${inMemory('192.168.1.2')}:08AE ${inMemory('198.51.100.31')}:D431 01 00000000:00000000 00:00000000 0 0 0 3`,
    `   3: ${inMemory('192.168.1.2')}:01BB ${inMemory('198.51.100.32')}:D431 01 00000000:00000000 00:00000000 0 0 0 4`,
    `   4: ${inMemory('192.168.1.2')}:0016 ${inMemory('198.51.100.33')}:D431 06 00000000:00000000 00:00000000 0 0 0 5`,
  ].join('\n'),
  '/proc/self/net/tcp6': [
    '  sl  local_address                         remote_address                        st',
    `   0: ${'0'.repeat(32)}:0016 ${inMemory('::ffff:198.51.100.34')}:D431 01`,
    `   1: ${'0'.repeat(32)}:0016 ${inMemory('2001:db8:5::7')}:D431 01`,
  ].join('\n'),
  '/etc/ssh/sshd_config': '#Port 22\nPermitRootLogin no\n',
  '/etc/ssh/sshd_config.d/ours.conf': 'Port 2222\n',
  '/etc/resolv.conf': '# made by hand\nnameserver 192.168.1.53\nsearch example.org\nnameserver fe80::53%eth0\n',
};

const host = readThisHost({
  interfaces: () => ({
    eth0: [{ address: '192.168.1.2' }, { address: 'fe80::1%eth0' }],
    lo: [{ address: '127.0.0.1' }],
  }),
  read: (file) => files[file] ?? '',
  list: (folder) => Object.keys(files).filter((name) => name.startsWith(`${folder}/`)),
  environment: { SSH_CLIENT: '::ffff:192.168.1.30 50000 22' },
});

const refusalOf = (text: string, protections = host): string | undefined => {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return findProtection(parsed.address, { protections });
};

describe('readThisHost', () => {
  for (const [address, reason] of [
    ['192.168.1.1', "this host's default gateway"],
    ['2001:db8:1::1', "this host's default gateway"],
    ['192.168.1.53', "this host's resolver"],
    ['192.168.1.2', "this host's own address"],
    ['192.168.1.30', 'the SSH client of this session'],
    ['198.51.100.30', 'connected to the sshd of this host'],
    ['198.51.100.31', 'connected to the sshd of this host'],
    ['198.51.100.34', 'connected to the sshd of this host'],
    ['2001:db8:5::7', 'connected to the sshd of this host'],
  ] as const) {
    it(`protects ${address}: ${reason}`, () => {
      expect(refusalOf(address)).to.equal(`refused: ${address} is ${reason} (protected always)`);
    });
  }

  it('protects nothing else', () => {
    for (const address of ['192.168.1.10', '198.51.100.32', '198.51.100.33'])
      expect(refusalOf(address)).to.equal(undefined);
  });

  it('lives without what it may not read', () => {
    expect(readThisHost({ interfaces: () => ({}), read: () => '', list: () => [], environment: {} })).to.deep.equal([]);
  });
});

describe('findThisHost', () => {
  it('reads this host once for an alarm, and again for one that comes later', () => {
    const now = performance.now() + 60_000; // what other tests have read is older
    const found = findThisHost(now);
    expect(findThisHost(now + 4000)).to.equal(found);
    const moved = {
      interfaces: () => ({ eth0: [{ address: '192.0.2.77' }] }),
      read: () => '',
      list: () => [],
      environment: {},
    };
    expect(findThisHost(now + 6000, moved).map(({ address }) => address.text)).to.deep.equal(['192.0.2.77']);
    expect(findThisHost(now + 12_000)).to.have.length(found.length);
  });
});

describe('findPolicy', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'p-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function load(policy: object) {
    const file = path.join(folder, 'firebreak.yml');
    const firewalls = { edge: { host: '192.0.2.1', addresses: ['198.51.100.1', '10.1.0.1'] } };
    writeFileSync(file, JSON.stringify({ firewalls, policy }), { mode: 0o600 });
    return loadConfig(file);
  }

  it('knows the firewalls, the SIEM, and each form of never_block', () => {
    writeFileSync(path.join(folder, 'spared.txt'), '# ours\n203.0.113.64/28\n\n2001:db8:9::1 # the mail host\n');
    const never_block = ['192.0.2.128/28', '203.0.113.10-203.0.113.12', '@spared.txt'];
    const { protections } = findPolicy(load({ never_block, siem: ['192.0.2.50'] }), { host: [] });
    for (const [address, reason] of [
      ['192.0.2.1', 'the address of firewall edge (protected always)'],
      ['10.1.0.1', 'an address of firewall edge (protected always)'],
      ['192.0.2.50', 'the SIEM (policy.siem)'],
      ['192.0.2.130', 'protected by policy.never_block (192.0.2.128/28)'],
      ['203.0.113.11', 'protected by policy.never_block (203.0.113.10-203.0.113.12)'],
      ['203.0.113.70', 'protected by policy.never_block (203.0.113.64/28 in spared.txt)'],
      ['2001:db8:9::1', 'protected by policy.never_block (2001:db8:9::1 in spared.txt)'],
    ] as const) {
      expect(refusalOf(address, [...protections])).to.equal(`refused: ${address} is ${reason}`);
    }
    expect(refusalOf('203.0.113.13', [...protections])).to.equal(undefined);
  });

  it("protects the firewalls' own addresses as sources, and those of never_block_to as destinations", () => {
    const config = load({ never_block_to: ['10.1.0.1', '203.0.113.10-203.0.113.12'] });
    const seen = { addresses: { edge: ['203.0.113.1'] }, callers: [] };
    const policy = findPolicy(config, { seen, firewall: 'edge', host: [] });
    const refusalOf = (source: string, destination: string): string | undefined =>
      findRefusal(aFlow({ source, destination }), policy);
    for (const own of ['192.0.2.1', '198.51.100.1', '203.0.113.1']) {
      expect(refusalOf(own, '192.168.1.10')).to.match(/^refused: .* is (?:an|the) address (?:of|that) firewall edge/);
      expect(refusalOf('203.0.113.7', own)).to.equal(undefined);
    }
    expect(refusalOf('203.0.113.7', '10.1.0.1')).to.equal(
      'refused: 10.1.0.1 is protected as a destination by policy.never_block_to (10.1.0.1)',
    );
    expect(refusalOf('203.0.113.7', '203.0.113.12')).to.match(/never_block_to/);
    expect(refusalOf('203.0.113.12', '192.168.1.10')).to.equal(undefined);
  });

  it('knows what was seen on the firewall in question, hosts only, and who calls', () => {
    const seen = {
      addresses: { edge: ['203.0.113.1', 'dhcp', '2001:db8:7::1', '0.0.0.0/1', '::/1'], other: ['203.0.113.9'] },
      callers: ['192.0.2.77'],
    };
    const protections = [...findPolicy(load({}), { seen, firewall: 'edge', host: [] }).protections];
    for (const address of ['203.0.113.1', '2001:db8:7::1']) {
      expect(refusalOf(address, protections)).to.equal(
        `refused: ${address} is an address that firewall edge has (protected always)`,
      );
    }
    expect(refusalOf('192.0.2.77', protections)).to.match(/is a host that sends alarms to this gateway/);
    expect(refusalOf('198.51.100.1', protections)).to.match(/an address of firewall edge/);
    for (const address of ['203.0.113.9', '8.8.8.8', '2a00::1'])
      expect(refusalOf(address, protections)).to.equal(undefined);
  });

  it('reads the file anew at each start', () => {
    const file = path.join(folder, 'spared.txt');
    writeFileSync(file, '203.0.113.7\n');
    expect(refusalOf('203.0.113.7', [...findPolicy(load({ never_block: ['@spared.txt'] }), { host: [] }).protections]))
      .to.exist;
    writeFileSync(file, '');
    expect(
      refusalOf('203.0.113.7', [...findPolicy(load({ never_block: ['@spared.txt'] }), { host: [] }).protections]),
    ).to.equal(undefined);
  });

  it('goes on with no half of a list', () => {
    expect(() => load({ never_block: ['@gone.txt'] })).to.throw(/policy\.never_block: .*gone\.txt: no such file/);
    writeFileSync(path.join(folder, 'bad.txt'), '203.0.113.7\nmy router\n');
    expect(() => load({ never_block: ['@bad.txt'] })).to.throw(/bad\.txt line 2: expected an IPv4 or IPv6 address/);
    expect(() => load({ never_block: ['10.0.0.9-10.0.0.1'] })).to.throw(/the lower first/);
  });
});
