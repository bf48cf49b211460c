import { expect } from 'chai';
import { askPaths, type PathsAnswer } from '../../lab/pfsense-paths.js';

const interfaces = `<interfaces>
  <wan><enable></enable><if>em0</if><ipaddr>198.51.100.2</ipaddr><subnet>28</subnet></wan>
  <lan><enable></enable><if>em1</if><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan></interfaces>
  <virtualip><vip><mode>ipalias</mode><interface>wan</interface><subnet>198.51.100.10</subnet><subnet_bits>28</subnet_bits></vip></virtualip>
  <ifgroups><ifgroupentry><members>wan</members><ifname>EDGES</ifname></ifgroupentry></ifgroups>
  <aliases>
    <alias><name>web</name><type>port</type><address>80 443</address></alias>
    <alias><name>srv</name><type>host</type><address>192.168.1.10</address></alias>
    <alias><name>pool</name><type>host</type><address>192.168.1.10 192.168.1.11</address></alias>
    <alias><name>named</name><type>host</type><address>mail.example.net</address></alias>
    <alias><name>office</name><type>network</type><address>203.0.113.0/26</address></alias></aliases>`;

interface Forward {
  source?: string;
  to?: string;
  port?: string;
  protocol?: string;
  target?: string;
  local?: string;
  interface?: string;
  more?: string;
}

function element(name: string, text: string): string {
  return text === '' ? '' : `<${name}>${text}</${name}>`;
}

function forward(fields: Forward = {}): string {
  const { source = '<any></any>', to = '<network>wanip</network>', port = '2222', protocol = 'tcp' } = fields;
  const { target = '192.168.1.10', local = '22', interface: name = 'wan', more = '' } = fields;
  return `<nat><rule>${more}<source>${source}</source><destination>${to}${element('port', port)}</destination>
    <ipprotocol>inet</ipprotocol>${element('protocol', protocol)}<target>${target}</target>${element('local-port', local)}
    <interface>${name}</interface></rule></nat>`;
}

const toHost = (host: string): string => `<address>${host}</address>`;
const none = { target: '', local: '' };

describe('where pfSense forwards a packet', () => {
  /** Title, configuration, flow (source destination interface protocol port), sentence. */
  const cases: readonly (readonly [string, string, string, string | null])[] = [
    [
      'to another port of an inside host',
      forward(),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    ['another port: nowhere', forward(), '203.0.113.7 198.51.100.2 wan tcp 22', null],
    ['another protocol: nowhere', forward(), '203.0.113.7 198.51.100.2 wan udp 2222', null],
    ['another address: nowhere', forward(), '203.0.113.7 198.51.100.10 wan tcp 2222', null],
    ['the inside host itself: nowhere', forward(), '203.0.113.7 192.168.1.10 wan tcp 22', null],
    ['another interface: nowhere', forward(), '192.168.1.66 198.51.100.2 lan tcp 2222', null],
    [
      'with reflection from another interface as well',
      forward({ more: '<natreflection>purenat</natreflection>' }),
      '192.168.1.66 198.51.100.2 lan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'by a group that the interface is in',
      forward({ interface: 'EDGES' }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'a disabled forward: nowhere',
      forward({ more: '<disabled></disabled>' }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      null,
    ],
    [
      'an exception before a forward: nowhere',
      (forward({ ...none, more: '<nordr></nordr>' }) + forward()).replace('</nat><nat>', ''),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      null,
    ],
    [
      'the first of two',
      (forward({ target: '192.168.1.20' }) + forward()).replace('</nat><nat>', ''),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '192.168.1.20:22, found again',
    ],
    [
      'another public address',
      forward({ to: toHost('198.51.100.10') }),
      '203.0.113.7 198.51.100.10 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'a network of public addresses',
      forward({ to: toHost('198.51.100.0/28') }),
      '203.0.113.7 198.51.100.9 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'every address',
      forward({ to: '<any></any>' }),
      '203.0.113.7 198.51.100.9 wan tcp 2222',
      '198.51.100.9:2222 is forwarded to 192.168.1.10:22: block 192.168.1.10 port 22',
    ],
    [
      'a proxy on the firewall itself',
      forward({ target: '127.0.0.1' }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '198.51.100.2:2222 is forwarded to 127.0.0.1:22: block 127.0.0.1 port 22',
    ],
    [
      'every own address',
      forward({ to: '<any></any>' }),
      '203.0.113.7 198.51.100.10 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'the firewall itself',
      forward({ to: '<network>(self)</network>' }),
      '203.0.113.7 198.51.100.10 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'a range of ports',
      forward({ port: '8000-8010', local: '9000' }),
      '203.0.113.7 198.51.100.2 wan tcp 8003',
      '192.168.1.10:9003, found again',
    ],
    [
      'an alias of ports',
      forward({ port: 'web', local: 'web' }),
      '203.0.113.7 198.51.100.2 wan tcp 443',
      '192.168.1.10:443, found again',
    ],
    [
      'an alias of one host',
      forward({ target: 'srv' }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'an alias of several hosts',
      forward({ target: 'pool' }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '198.51.100.2:2222 is forwarded to pool: block the hosts behind it',
    ],
    [
      'an alias that is a name: unknown',
      forward({ to: toHost('named') }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      null,
    ],
    [
      'sources of a network',
      forward({ source: toHost('office') }),
      '203.0.113.7 198.51.100.2 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'other sources than those: nowhere',
      forward({ source: toHost('office') }),
      '203.0.113.77 198.51.100.2 wan tcp 2222',
      null,
    ],
    [
      'all sources but those',
      forward({ source: `${toHost('office')}<not></not>` }),
      '203.0.113.77 198.51.100.2 wan tcp 2222',
      '192.168.1.10:22, found again',
    ],
    [
      'tcp and udp, of a flow of both',
      forward({ protocol: 'tcp/udp', port: '53', local: '53' }),
      '203.0.113.7 198.51.100.2 wan tcp/udp 53',
      '192.168.1.10:53, found again',
    ],
    [
      'a part of the flow',
      forward(),
      '203.0.113.7 198.51.100.2 wan any',
      'part of it is forwarded to 192.168.1.10:22: block that as well',
    ],
    [
      'every protocol',
      forward({ protocol: 'any', port: '', local: '' }),
      '203.0.113.7 198.51.100.2 wan icmp',
      '192.168.1.10, found again',
    ],
    [
      'IPv6',
      forward({ to: toHost('2001:db8:ff::2'), target: '2001:db8:1::10' }).replace('>inet<', '>inet6<'),
      '2001:db8::7 2001:db8:ff::2 wan tcp 2222',
      '[2001:db8:1::10]:22, found again',
    ],
    [
      'one host for another (1:1)',
      '<nat><onetoone><external>198.51.100.10</external><interface>wan</interface><source><address>192.168.1.40</address></source><destination><any></any></destination></onetoone></nat>',
      '203.0.113.7 198.51.100.10 wan tcp 22',
      '192.168.1.40:22, found again',
    ],
    [
      'one network for another (1:1)',
      '<nat><onetoone><external>198.51.100.64</external><interface>wan</interface><source><address>192.168.1.64/28</address></source><destination><any></any></destination></onetoone></nat>',
      '203.0.113.7 198.51.100.67 wan any',
      '192.168.1.67, found again',
    ],
    [
      'an exception of 1:1: nowhere',
      '<nat><onetoone><nobinat></nobinat><external>198.51.100.10</external><interface>wan</interface><source><address>192.168.1.40</address></source><destination><any></any></destination></onetoone></nat>',
      '203.0.113.7 198.51.100.10 wan tcp 22',
      null,
    ],
    ['a rule that was changed by hand: unknown', forward(), 'Listed 198.51.100.2 wan tcp 2222', null],
    ['a rule for a range of ports: unknown', forward(), '203.0.113.7 198.51.100.2 wan tcp 2222-2230', null],
  ];
  let answers: PathsAnswer[];
  before(() => {
    answers = askPaths(cases.map(([, nat, flow]) => ({ config: interfaces + nat, flows: [flow] })));
  });
  for (const [index, [title, , , sentence]] of cases.entries()) {
    it(title, () => {
      expect(answers[index]?.forwards).to.deep.equal([sentence]);
    });
  }
});
