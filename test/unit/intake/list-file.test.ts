import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { listFormats, parseListFile, type ListOptions } from '#firebreak/intake/list-file.js';
import { decodeList } from '#firebreak/intake/lists/list-decode.js';

const now = Date.parse('2026-06-01T10:05:00Z');

const parse = (text: string, options: ListOptions = {}) => parseListFile(text, { now, ...options });
const sourcesOf = (text: string, options?: ListOptions) => {
  const { entries, bad } = parse(text, options);
  expect(bad).to.deep.equal([]);
  return entries.map(({ fields }) => fields['source']);
};
const fieldsOf = (text: string, options?: ListOptions) => parse(text, options).entries.map(({ fields }) => fields);
const skippedOf = (text: string) => parse(text).skipped.map(({ where, reason }) => `${where}: ${reason}`);
const badOf = (text: string, options?: ListOptions) =>
  parse(text, options).bad.map(({ where, reason }) => `${where}: ${reason}`);

describe('a list of lines', () => {
  it('gives every address of a line, however they are separated', () => {
    expect(sourcesOf('192.0.2.1 192.0.2.2\t192.0.2.3, 192.0.2.4;192.0.2.5')).to.have.length(5);
    expect(sourcesOf('192.0.2.1\r192.0.2.2\r\n192.0.2.3\n')).to.have.length(3);
  });

  it('reads ranges, masks and lengths apart from their network', () => {
    expect(sourcesOf('192.0.2.8 - 192.0.2.9\n192.0.2.1 to 192.0.2.2')).to.deep.equal(
      ['8', '9', '1', '2'].map((last) => `192.0.2.${last}`),
    );
    expect(sourcesOf('192.0.2.0 255.255.255.0\n192.0.2.0 /29\n192.0.2.0/255.255.255.128')).to.deep.equal([
      '192.0.2.0/24',
      '192.0.2.0/29',
      '192.0.2.0/25',
    ]);
  });

  it('divides a range into networks no wider than the policy allows', () => {
    const widest = { inet: 24, inet6: 64 };
    expect(sourcesOf('192.0.2.3-192.0.2.9', { widest })).to.deep.equal(['192.0.2.3', '192.0.2.4/30', '192.0.2.8/31']);
    expect(badOf('10.0.0.0-10.255.255.255')).to.have.length(1);
    expect(badOf('::-ffff::')).to.have.length(1);
  });

  it('reads a length that stands apart, and refuses an inverted mask', () => {
    expect(sourcesOf('192.0.2.0 / 28')).to.deep.equal(['192.0.2.0/28']);
    expect(sourcesOf('192.0.2.0 0.0.0.255')).to.deep.equal(['192.0.2.0/0.0.0.255']); // not an address, says parseAlarm
  });

  it('may have bullets, and a name before each address', () => {
    expect(sourcesOf('bad:\n  - 192.0.2.1\n  * 192.0.2.2\n')).to.deep.equal(['192.0.2.1', '192.0.2.2']);
    expect(sourcesOf('bad.example|192.0.2.3')).to.deep.equal(['192.0.2.3']);
  });

  it('takes the text behind an address as its description, commas and all', () => {
    expect(fieldsOf('192.0.2.1,probe\n192.0.2.2 # seen by a, b and c\n192.0.2.3 ; SBL9')).to.deep.equal([
      { source: '192.0.2.1', description: 'probe' },
      { source: '192.0.2.2', description: 'seen by a, b and c' },
      { source: '192.0.2.3', description: 'SBL9' },
    ]);
  });

  it('refuses a line that does not say which address is the attacker', () => {
    expect(badOf('192.0.2.1,198.51.100.1,443')).to.have.length(1);
    expect(badOf('192.0.2.1 attacked 198.51.100.1')).to.have.length(1);
    expect(badOf('192.0.2.1 - - [01/Jun/2026] "GET /"')).to.have.length(1);
  });

  it('names the line that is not an address, and loses none beside it', () => {
    const { entries, bad } = parse('192.0.2.1\nexample\n192.0.2.2');
    expect(entries.map(({ where }) => where)).to.deep.equal(['line 1', 'line 3']);
    expect(bad).to.deep.equal([{ where: 'line 2', reason: 'expected an address, got "example"' }]);
  });

  it('reads defanged addresses, and addresses with a port', () => {
    expect(sourcesOf('192[.]0[.]2[.]1\nhxxp://192.0.2[.]2:8080/a\n192.0.2.3:4022\n[2001:db8::1]:22')).to.deep.equal([
      ...['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'],
    ]);
  });

  const programs: Record<string, [text: string, expected: object[]]> = {
    'fail2ban with times': [
      '192.0.2.1 \t2026-06-01 10:00:00 + 900 = 2026-06-01 10:15:00Z\n192.0.2.2 \t2026-06-01 10:00:00 + -1 = 9999-12-31 23:59:59',
      [
        { source: '192.0.2.1', duration: '600s' },
        { source: '192.0.2.2', duration: 'forever' },
      ],
    ],
    'fail2ban status': [
      'Status for the jail: web\n|- Filter\n|  `- File list:\t/var/log/x\n`- Actions\n   |- Total banned:\t7\n   `- Banned IP list:\t192.0.2.1 192.0.2.2',
      [{ source: '192.0.2.1' }, { source: '192.0.2.2' }],
    ],
    'ipset save': [
      'create bad hash:ip family inet\nadd bad 192.0.2.1 timeout 60 comment "a b"\nadd bad 192.0.2.2 timeout 0',
      [
        { source: '192.0.2.1', duration: '60s', description: 'a b' },
        { source: '192.0.2.2', duration: 'forever' },
      ],
    ],
    'nft list': [
      'table inet t {\n set bad {\n  type ipv4_addr\n  elements = { 192.0.2.1 timeout 1d expires 1h2s,\n 192.0.2.2 }\n }\n}',
      [{ source: '192.0.2.1', duration: '3602s' }, { source: '192.0.2.2' }],
    ],
    'pfctl -T show, with counters': [
      '   192.0.2.1\n\tCleared:     Mon Jun  1\n\tIn/Block:    [ 0 ]',
      [{ source: '192.0.2.1' }],
    ],
    'hosts.deny': ['ALL: 192.0.2.1, 192.0.2.2', [{ source: '192.0.2.1' }, { source: '192.0.2.2' }]],
    nginx: ['deny 192.0.2.1;\ndeny 192.0.2.0/28;', [{ source: '192.0.2.1' }, { source: '192.0.2.0/28' }]],
    DShield: ['# x\nStart\tEnd\tNetblock\tAttacks\n192.0.2.0\t192.0.2.255\t24\t99', [{ source: '192.0.2.0/24' }]],
  };
  for (const [name, [text, expected]] of Object.entries(programs))
    it(`may be what ${name} gives`, () => expect(fieldsOf(text)).to.deep.equal(expected));

  it('blocks nothing that it allows, negates or exempts', () => {
    expect(skippedOf('[banned]\n192.0.2.1\n[allowlist]\n192.0.2.2')).to.deep.equal(['line 4: group "allowlist"']);
    expect(skippedOf('192.0.2.1\n!192.0.2.2')).to.deep.equal(['line 2: negated with "!"']);
    expect(skippedOf('deny 192.0.2.1;\nallow 192.0.2.2;')).to.deep.equal(['line 2: allow']);
    expect(skippedOf('sshd: 192.0.2.1\nsshd: 192.0.2.2 : ALLOW')).to.deep.equal(['line 2: allow']);
    expect(skippedOf('add bad 192.0.2.1\nadd bad 192.0.2.2 nomatch\nadd whitelist 192.0.2.3')).to.have.length(2);
  });
});

describe('an address that the list says not to block', () => {
  it('is in a group or set that says so in any spelling', () => {
    const groups = [
      'allowed_ips',
      'allow list',
      'ignoreip',
      'myWhitelist',
      'office-allowlist',
      'not_blocked',
      'Trusted',
    ];
    for (const name of [...groups, 'trustedHosts', 'un-banned', 'do not block', 'false positives', 'WHITE-LISTED v4'])
      expect(sourcesOf(JSON.stringify({ banned: ['192.0.2.1'], [name]: ['192.0.2.2'] })), name).to.deep.equal([
        '192.0.2.1',
      ]);
    expect(skippedOf('add allow_ssh 192.0.2.1\nadd bad 192.0.2.2')).to.deep.equal(['line 1: set "allow_ssh"']);
    for (const name of ['denied', 'bypass attempts', 'not whitelisted', 'blocked', 'disallowed', 'password guessing'])
      expect(sourcesOf(JSON.stringify({ [name]: ['192.0.2.1'] })), name).to.deep.equal(['192.0.2.1']);
  });

  it('is in a column that says so', () => {
    const rows = ['not blocked', 'Allowlisted', 'benign', 'released', 'attempt to bypass'];
    const text = `ip,status\n${rows.map((status, at) => `192.0.2.${at},${status}`).join('\n')}`;
    expect(sourcesOf(text)).to.deep.equal(['192.0.2.4']);
    expect(skippedOf('ip,disabled\n192.0.2.1,\n192.0.2.2,x')).to.deep.equal(['line 3: disabled is x']);
  });

  it('is in no network that another row blocks', () => {
    for (const text of [
      '192.0.2.0/28\n!192.0.2.7',
      'add bad 192.0.2.0/28\nadd bad 192.0.2.7 nomatch',
      '[bad]\n192.0.2.0/28\n[allowlist]\n192.0.2.7',
      'table t {\nset ok_whitelist {\nelements = { 192.0.2.7 }\n}\nset bad {\nelements = { 192.0.2.0/28 }\n}\n}',
      JSON.stringify({
        aliases: { alias: { a: { enabled: '1', type: 'network', content: '192.0.2.0/28\n!192.0.2.7' } } },
      }),
      JSON.stringify({ whitelist: ['192.0.2.7'], banned: ['192.0.2.0/28'] }),
    ]) {
      expect(parse(text).entries, text).to.deep.equal([]);
      expect(badOf(text)[0], text).to.match(/192\.0\.2\.0\/28 covers 192\.0\.2\.7, which the list says not to block$/);
    }
    expect(badOf('{"ignored": ["192.0.2.7"], "banned": ["192.0.2.7", "192.0.2.8"]}')).to.have.length(1);
    expect(sourcesOf('{"unbanned": ["192.0.2.7"], "banned": ["192.0.2.7"]}')).to.deep.equal(['192.0.2.7']);
  });
});

describe('a table', () => {
  it('is read with any of its delimiters, with or without a byte order mark', () => {
    for (const delimiter of [',', ';', '\t'])
      expect(fieldsOf(`\uFEFFIP${delimiter}Reason\r\n192.0.2.1${delimiter}"a ${delimiter} b"\r\n`)).to.deep.equal([
        { source: '192.0.2.1', description: `a ${delimiter} b` },
      ]);
  });

  it('has destination, port, protocol, reason and time where its columns say so', () => {
    expect(
      fieldsOf('src_ip,dest_ip,dest_port,proto,reason,duration\n192.0.2.1,192.168.9.9,25,TCP,spam,1h30m'),
    ).to.deep.equal([
      {
        ...{ source: '192.0.2.1', destination: '192.168.9.9', port: '25', protocol: 'tcp' },
        ...{ description: 'spam', duration: '5400s' },
      },
    ]);
    expect(fieldsOf('Source,Destination\n192.0.2.1:5000,192.168.9.9:25')[0]).to.deep.equal({
      ...{ source: '192.0.2.1', destination: '192.168.9.9', port: '25' },
    });
  });

  it('has the mask of a network in a column of its own', () => {
    expect(sourcesOf('network,netmask\n192.0.2.0,255.255.255.0\n198.51.100.0/25,255.255.255.0')).to.deep.equal([
      ...['192.0.2.0/24', '198.51.100.0/25'],
    ]);
    expect(sourcesOf('ip,cidr\n192.0.2.0,28\n192.0.2.16,/28')).to.deep.equal(['192.0.2.0/28', '192.0.2.16/28']);
  });

  it('has no port of a protocol without ports, nor one of a control server', () => {
    expect(fieldsOf('src_ip,dst_ip,dst_port,proto\n192.0.2.1,192.168.9.9,0,ICMP')[0]).to.deep.equal({
      ...{ source: '192.0.2.1', destination: '192.168.9.9', protocol: 'icmp' },
    });
    expect(fieldsOf('[{"ip_address":"192.0.2.1","port":443,"malware":"x"}]')).to.deep.equal([{ source: '192.0.2.1' }]);
  });

  it('takes a date alone as midnight in this zone', () => {
    const today = new Date(2026, 5, 2);
    const [entry] = parse('ip,until\n192.0.2.1,2026-06-03', { now: today.getTime() }).entries;
    const seconds = (new Date(2026, 5, 3).getTime() - today.getTime()) / 1_000;
    expect(entry?.fields['duration']).to.equal(`${seconds}s`);
  });

  it('trusts a column that names the attacker, never one that is the victim', () => {
    expect(sourcesOf('ip,src_ip,dst_ip\n192.168.9.9,192.0.2.1,192.168.9.9')).to.deep.equal(['192.0.2.1']);
    expect(badOf('ip,src_ip\n192.0.2.1,192.0.2.2')).to.deep.equal([
      'line 2: src_ip is "192.0.2.2" and ip is "192.0.2.1": choose one with --column',
    ]);
    expect(sourcesOf('ip,src_ip\n192.0.2.1,192.0.2.2', { column: 'IP' })).to.deep.equal(['192.0.2.1']);
  });

  it('without a known column of addresses is refused, until the caller names it', () => {
    const text = 'attacker,victim\n192.0.2.1,192.168.9.9';
    expect(() => parse(text)).to.throw('no known column of addresses among "attacker", "victim"');
    expect(sourcesOf(text, { column: 'attacker' })).to.deep.equal(['192.0.2.1']);
    expect(() => parse(text, { column: 'src' })).to.throw('no column src');
  });

  it('has bad rows where the number of columns is another one', () => {
    expect(badOf('ip,port\n192.0.2.1,22,x\n192.0.2.2')).to.deep.equal([
      'line 2: expected 2 columns, got 3',
      'line 3: expected 2 columns, got 1',
    ]);
  });

  it('blocks no row that is disabled, expired, of another action or of another kind', () => {
    expect(
      skippedOf(
        'ip,enabled,action,duration\n192.0.2.1,yes,ban,4h\n192.0.2.2,0,ban,4h\n192.0.2.3,1,captcha,4h\n192.0.2.4,1,ban,-1h',
      ),
    ).to.deep.equal(['line 3: enabled is 0', 'line 4: action "captcha"', 'line 5: expired']);
    expect(skippedOf('Indicator type,Indicator\nIPv4,192.0.2.1\ndomain,bad.example')).to.have.length(1);
  });

  it('of control servers gives the servers', () => {
    expect(sourcesOf('first_seen,dst_ip,dst_port,c2_status\nx,192.0.2.1,443,online')).to.deep.equal(['192.0.2.1']);
  });
});

describe('a JSON list', () => {
  it('may be one document, lines, or what Python prints', () => {
    expect(sourcesOf('["192.0.2.1", {"ip": "192.0.2.2"}]')).to.deep.equal(['192.0.2.1', '192.0.2.2']);
    expect(sourcesOf('{"src_ip":"192.0.2.1"}\n{"source":{"ip":"192.0.2.2"}}\n')).to.deep.equal([
      '192.0.2.1',
      '192.0.2.2',
    ]);
    expect(sourcesOf(`[{'sshd': ['192.0.2.1']}, {"it's": ['192.0.2.2']}]`)).to.deep.equal(['192.0.2.1', '192.0.2.2']);
  });

  it('may name its entries by their addresses', () => {
    const text = JSON.stringify({ bans: { '192.0.2.1': { reason: 'ssh' }, '192.0.2.2': false, '192.0.2.3': 7 } });
    expect(fieldsOf(text)).to.deep.equal([{ source: '192.0.2.1', description: 'ssh' }, { source: '192.0.2.3' }]);
    expect(skippedOf(text)).to.deep.equal(['entry 2: 192.0.2.2 is false']);
  });

  it('names the line that is not JSON', () => {
    expect(badOf('{"src_ip":"192.0.2.1"}\n{oops')[0]).to.match(/^line 2: not valid JSON/);
  });

  it('of CrowdSec gives bans alone', () => {
    const decision = { scope: 'Ip', type: 'ban', duration: '3h59m57s', scenario: 'ssh' };
    const text = JSON.stringify([
      {
        source: { ip: '192.0.2.99' },
        decisions: [
          { ...decision, value: '192.0.2.1' },
          { ...decision, value: '192.0.2.2', type: 'captcha' },
          { ...decision, value: '192.0.2.3', simulated: true },
          { ...decision, value: '192.0.2.4', duration: '-5m' },
          { ...decision, value: 'NL', scope: 'Country' },
        ],
      },
    ]);
    expect(fieldsOf(text)).to.deep.equal([{ source: '192.0.2.1', description: 'ssh', duration: '14397s' }]);
    expect(parse(text).skipped).to.have.length(4);
    const stream = { new: [{ ...decision, value: '192.0.2.1' }], deleted: [{ ...decision, value: '192.0.2.2' }] };
    expect(sourcesOf(JSON.stringify(stream))).to.deep.equal(['192.0.2.1']);
  });

  it('of ours comes back as it was', () => {
    const block = {
      ...{ id: 'x', firewall: 'edge', state: 'active', tracker: 1, source: '192.0.2.1', destination: '192.168.9.9' },
      ...{ port: '22', protocol: 'tcp', interface: 'wan', type: 'reject', ipprotocol: 'inet', description: 'why' },
      ...{ expires_at: null, reason: null as string | null },
    };
    const blocks = [
      block,
      { ...block, source: '192.0.2.2', expires_at: new Date(now + 90_000).toISOString() },
      { ...block, source: '192.0.2.3', state: 'released' },
      { ...block, source: '192.0.2.4', expires_at: new Date(now - 1).toISOString() },
    ];
    const { entries, skipped } = parse(JSON.stringify({ blocks }));
    expect(entries.map(({ firewall }) => firewall)).to.deep.equal(['edge', 'edge']);
    expect(entries[0]?.fields).to.deep.equal({
      ...{ source: '192.0.2.1', destination: '192.168.9.9', port: '22', protocol: 'tcp', interface: 'wan' },
      ...{ type: 'reject', ipproto: 'inet', description: 'why', duration: 'forever' },
    });
    expect(entries[1]?.fields['duration']).to.equal('90s');
    expect(skipped.map(({ reason }) => reason)).to.deep.equal(['state "released"', 'expired']);
  });

  const programs: Record<string, [value: unknown, entries: string[], skipped: number]> = {
    Suricata: [
      [
        { event_type: 'alert', src_ip: '192.0.2.1' },
        { event_type: 'dns', src_ip: '192.0.2.2' },
      ],
      ['192.0.2.1'],
      1,
    ],
    Wazuh: [{ rule: { level: 9 }, agent: { ip: '192.168.9.9' }, data: { srcip: '192.0.2.1' } }, ['192.0.2.1'], 0],
    Elasticsearch: [{ hits: { total: 1, hits: [{ _source: { source: { ip: '192.0.2.1' } } }] } }, ['192.0.2.1'], 0],
    MISP: [
      {
        Event: {
          Tag: [{ name: 't' }],
          Attribute: [
            { type: 'ip-dst|port', value: '192.0.2.1|80', to_ids: true },
            { type: 'ip-src', value: '192.0.2.2', to_ids: false },
          ],
          Object: [{ Attribute: [{ type: 'domain', value: 'bad.example' }] }],
        },
      },
      ['192.0.2.1'],
      2,
    ],
    STIX: [
      {
        type: 'bundle',
        objects: [
          { type: 'indicator', id: 'indicator--1', pattern: "[ipv4-addr:value = '192.0.2.1']" },
          { type: 'indicator', id: 'indicator--2', pattern: "[ipv4-addr:value = '192.0.2.2']", revoked: true },
          { type: 'ipv4-addr', id: 'ipv4-addr--1', value: '192.0.2.3' },
        ],
      },
      ['192.0.2.1'],
      2,
    ],
    OTX: [
      {
        tags: ['a'],
        indicators: [
          { indicator: '192.0.2.1', type: 'IPv4' },
          { indicator: 'x', type: 'domain' },
        ],
      },
      ['192.0.2.1'],
      1,
    ],
    AbuseIPDB: [{ meta: { generatedAt: 'x' }, data: [{ ipAddress: '192.0.2.1' }] }, ['192.0.2.1'], 0],
    OPNsense: [
      {
        aliases: {
          alias: {
            a: { enabled: '1', type: 'host', content: '192.0.2.1\n192.0.2.2' },
            b: { enabled: '0', type: 'host', content: '192.0.2.3' },
          },
        },
      },
      ['192.0.2.1', '192.0.2.2'],
      1,
    ],
    'pfSense’s API': [{ data: { name: 'bad', type: 'host', address: ['192.0.2.1'], detail: ['x'] } }, ['192.0.2.1'], 0],
    'nft -j': [
      {
        nftables: [
          {
            set: {
              name: 'bad',
              elem: ['192.0.2.1', { elem: { val: { prefix: { addr: '192.0.2.0', len: 28 } }, timeout: 60 } }],
            },
          },
        ],
      },
      ['192.0.2.1', '192.0.2.0/28'],
      0,
    ],
    Spamhaus: [
      [
        { cidr: '192.0.2.0/28', sblid: 'S1' },
        { type: 'metadata', records: 1 },
      ],
      ['192.0.2.0/28'],
      0,
    ],
    'groups by name': [{ banned: ['192.0.2.1'], unbanned: ['192.0.2.2'], ignored: ['192.0.2.3'] }, ['192.0.2.1'], 2],
  };
  for (const [name, [value, entries, skipped]] of Object.entries(programs))
    it(`may be what ${name} gives`, () => {
      expect(sourcesOf(JSON.stringify(value))).to.deep.equal(entries);
      expect(parse(JSON.stringify(value)).skipped).to.have.length(skipped);
    });

  it('that is too deep is refused', () => {
    expect(() => parse('['.repeat(100) + ']'.repeat(100))).to.throw('nested more than 20 deep');
  });
});

describe('any list', () => {
  it('in XML or HTML, such as the page of a login, is refused', () => {
    for (const text of ['<?xml version="1.0"?>\n<a>192.0.2.1</a>', '\n<!DOCTYPE html>\n192.0.2.1'])
      expect(() => parse(text)).to.throw('the list is XML or HTML');
  });

  it('without an entry is an error, unless it is empty', () => {
    for (const text of ['ip,reason\n', '[]', '# nothing\n', '{"decisions":null}'])
      expect(() => parse(text), text).to.throw('the list has no address to block');
    expect(parse('').entries).to.deep.equal([]);
  });

  it('is read as the format that the caller names', () => {
    expect(badOf('deny 192.0.2.1;\n192.0.2.2', { format: 'nginx' })).to.have.length(1);
    expect(() => parse('192.0.2.1', { format: 'json' })).to.throw('not valid JSON');
    expect(() => parse('192.0.2.1', { format: 'x' })).to.throw(`expected ${listFormats.join(', ')}, got "x"`);
  });

  it('is read as the format of its program, in each form that the program gives', () => {
    for (const [format, text] of [
      ['crowdsec', 'id,ip,action\n7,Ip:192.0.2.1,ban'],
      ['otx', 'Indicator type,Indicator\nIPv4,192.0.2.1'],
      ['misp', 'type,value,to_ids\nip-src,192.0.2.1,1'],
      ['fail2ban', "[{'sshd': ['192.0.2.1']}]"],
      ['fail2ban', '192.0.2.1'],
      ['pfctl', '   192.0.2.1'],
      ['spamhaus', '192.0.2.1 ; SBL1'],
      ['pfsense', '192.0.2.1 scan'],
      ['nft', 'table t {\nset s {\nelements = { 192.0.2.1 }\n}\n}'],
    ] as const)
      expect(sourcesOf(text, { format }), `${format}: ${text}`).to.deep.equal(['192.0.2.1']);
    expect(() => parse('192.0.2.1', { format: 'crowdsec' })).to.throw('no known column of addresses');
    expect(() => parse('192.0.2.1', { format: 'suricata' })).to.throw('not valid JSON');
    expect(badOf('192.0.2.1 scan', { format: 'pfctl' })).to.have.length(1);
  });

  it('is read in UTF-8 and UTF-16, and refused when it is compressed', () => {
    const utf16 = Buffer.from('\uFEFFip\r\n192.0.2.1\r\n', 'utf16le');
    for (const bytes of [utf16, Buffer.from(utf16).swap16(), utf16.subarray(2), Buffer.from('\uFEFFip\n192.0.2.1')])
      expect(sourcesOf(decodeList(bytes))).to.deep.equal(['192.0.2.1']);
    expect(() => decodeList(Buffer.from([0x1f, 0x8b, 8, 0]))).to.throw('compressed');
  });

  it('of 20,000 entries is read whole', function () {
    this.timeout(60_000);
    const addresses = Array.from({ length: 20_000 }, (_, at) => `198.18.${at >> 8}.${at & 255}`);
    for (const text of [
      addresses.join('\n'),
      addresses.join(' '),
      `ip\n${addresses.join('\n')}`,
      JSON.stringify(addresses),
    ]) {
      expect(parse(text).entries).to.have.length(20_000);
    }
  });
});

/** What each file of the samples gives: its sources, or the error. */
const outcomes: Record<string, string> = {
  'abuseipdb.json': '203.0.113.7',
  'captcha-only.json': 'error: no address',
  'cols.csv': '203.0.113.7',
  'comment-comma.txt': '203.0.113.7 203.0.113.8',
  'cscli-list-ip.json': '203.0.113.7',
  'cscli-list.csv': '203.0.113.7',
  'cscli-list.json': '203.0.113.7 198.51.100.0/24',
  'defanged.txt': '203.0.113.7 203.0.113.8',
  'destip.csv': '203.0.113.7',
  'elastic-kibana.csv': '203.0.113.7',
  'elastic.json': '203.0.113.7',
  'eve-one.json': '203.0.113.7',
  'eve.json': '203.0.113.7 (1 skipped)',
  'f2b-banip-with-time.txt': '203.0.113.7 203.0.113.8',
  'f2b-banned.txt': '203.0.113.7 2001:db8::7',
  'f2b-get-banip-one-line.txt': '203.0.113.7 203.0.113.8 203.0.113.9',
  'f2b-mixed-quotes.txt': '203.0.113.7 203.0.113.8',
  'f2b-status.txt': '203.0.113.7 203.0.113.8',
  'fb.csv': '(1 bad)',
  'feodo.csv': '203.0.113.7',
  'firehol.netset': '203.0.113.0/25 198.51.100.7',
  'handover.json': '203.0.113.61 203.0.113.62 (2 skipped)',
  'header-only.csv': 'error: no address',
  'headerless-one.csv': '203.0.113.7',
  'headerless-semicolon.csv': '203.0.113.7 203.0.113.8',
  'headerless-two.csv': '203.0.113.7 203.0.113.8',
  'hosts.deny': '203.0.113.7 203.0.113.8',
  'icmp-noport.csv': '203.0.113.7 203.0.113.8',
  'ip-is-the-victim.json': '203.0.113.7',
  'ip-port.txt': '203.0.113.7 2001:db8::7',
  'ipset-save.txt': '203.0.113.7 203.0.113.8',
  'lapi-stream.json': '203.0.113.7 (1 skipped)',
  'mapped.txt': '::ffff:203.0.113.7',
  'misp.csv': '203.0.113.7 203.0.113.8 (1 skipped)',
  'misp.json': '203.0.113.7',
  'nessus-ipcol.csv': '203.0.113.7',
  'netmask.txt': '203.0.113.7/32 198.51.100.0/24',
  'nginx-deny.conf': '203.0.113.7 203.0.113.8',
  'nulldec.json': 'error: no address',
  'odd-comments.txt': '203.0.113.7 203.0.113.8 203.0.113.9',
  'one-line-comma-in-comment.txt': '203.0.113.7',
  'one-line-commas.txt': '203.0.113.7 203.0.113.8 203.0.113.9',
  'ossim-alarms.csv': '203.0.113.7',
  'ossim-siem-events.csv': '203.0.113.7',
  'otx.csv': '203.0.113.7 (1 skipped)',
  'pfctl-T-show.txt': '203.0.113.7 203.0.113.8 2001:db8::7',
  'pfrest-alias.json': '203.0.113.7 203.0.113.8',
  'pfsense-alias.txt': '203.0.113.7 198.51.100.7',
  'range.txt': [3, 4, 5, 6, 7, 8, 9].map((last) => `10.1.2.${last}`).join(' '),
  'spamhaus-drop.txt': '192.0.2.0/24 198.51.100.0/24',
  'spamhaus-drop_v4.json': '198.51.100.0/24 203.0.113.0/24',
  'stix.json': '203.0.113.7 (1 skipped)',
  'tab.tsv': '203.0.113.7 203.0.113.8',
  'utf16.csv': '203.0.113.7',
  'wazuh-alert.json': '203.0.113.7',
  'windows-semicolon.csv': '203.0.113.7 203.0.113.8',
};

const samples = path.join(process.env['FIREBREAK_SAMPLES'] ?? '', 'lists');

describe('the samples of lists', () => {
  before(function () {
    if (process.env['FIREBREAK_SAMPLES'] === undefined || !existsSync(samples)) this.skip();
  });

  it('each have a documented outcome', () => {
    expect(Object.keys(outcomes)).to.include.members(readdirSync(samples));
  });

  for (const [file, expected] of Object.entries(outcomes))
    it(`${file}: ${expected}`, () => {
      expect(outcomeOf(readFileSync(path.join(samples, file)))).to.equal(expected);
    });
});

function outcomeOf(bytes: Uint8Array): string {
  try {
    const { entries, skipped, bad } = parse(decodeList(bytes));
    return [
      ...entries.map(({ fields }) => fields['source']),
      ...(skipped.length > 0 ? [`(${skipped.length} skipped)`] : []),
      ...(bad.length > 0 ? [`(${bad.length} bad)`] : []),
    ].join(' ');
  } catch (error) {
    return `error: ${/no address/.exec((error as Error).message)?.[0]}`;
  }
}
