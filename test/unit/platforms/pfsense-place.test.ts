import { expect } from 'chai';
import { choosePlaces, type PlaceQuestion } from '../../lab/pfsense-place.js';

const interfaces = `<interfaces>
  <wan><enable></enable><if>em0</if></wan><lan><enable></enable><if>em1</if></lan>
  <opt1><enable></enable><if>ovpns1</if></opt1></interfaces>
  <ifgroups><ifgroupentry><members>wan</members><ifname>AHEAD</ifname></ifgroupentry>
  <ifgroupentry><members>wan lan</members><ifname>EDGES</ifname></ifgroupentry></ifgroups>`;
const ifconfig = [
  'em0: flags=8843\n\tgroups: EDGES AHEAD',
  'em1: flags=8843\n\tgroups: EDGES',
  'ovpns1: flags=8051\n\tgroups: tun openvpn\n',
].join('\n');

const flow = {
  tracker: 2000000001,
  source: '203.0.113.7',
  destination: '192.168.1.10',
  port: '22',
  protocol: 'tcp',
  ipprotocol: 'inet',
  interface: 'wan',
};

interface Rule {
  tracker: number;
  /** Its fields in the configuration. */
  fields: string;
  /** Its line in pf; none if it is not loaded. */
  line?: string;
}

const floating = '<floating>yes</floating><quick>yes</quick><interface></interface>';
const pass = 'pass in quick inet proto tcp from any to any port = ssh flags S/SA keep state';
const monitoring: Rule = { tracker: 1718000001, fields: `<type>pass</type>${floating}`, line: pass };
const onWan: Rule = {
  tracker: 1718000002,
  fields: '<type>pass</type><interface>wan</interface>',
  line: 'pass in quick on em0 inet all flags S/SA keep state',
};
const ofGroup = (name: string, tracker: number): Rule => ({
  tracker,
  fields: `<type>pass</type><interface>${name}</interface>`,
  line: `pass in quick on ${name} inet all flags S/SA keep state`,
});
const of29 = (name: string, tracker: number): Rule => {
  const { line = '', ...rule } = ofGroup(name, tracker);
  return { ...rule, tracker, line: `${line} label "id=${tracker}" label "tags=user_rule"` };
};
const own: Rule = {
  tracker: 2000000009,
  fields: '<type>block</type><interface>wan</interface>',
  line: 'block drop in quick on em0 inet proto tcp from 203.0.113.9 to any flags any',
};

const deny = '@0 block drop in log inet all label "Default deny rule IPv4" ridentifier 1000000103\n';
const lockout =
  '@1 pass in quick on em0 inet proto tcp from any to any port = ssh flags S/SA keep state label "anti-lockout rule" ridentifier 10001\n';

function ask(rules: readonly Rule[], change: Partial<PlaceQuestion> = {}, system = deny): PlaceQuestion {
  const xml = rules.map(({ tracker, fields }) => `<rule><tracker>${tracker}</tracker>${fields}</rule>`);
  const loaded = rules.flatMap(({ tracker, line }) => (line === undefined ? [] : `${line} ridentifier ${tracker}`));
  return {
    config: `${interfaces}<filter>${xml.join('')}</filter>`,
    rules: system + loaded.map((line, index) => `@${index + 2} ${line}\n`).join(''),
    translations: '',
    ifconfig,
    flow,
    ...change,
  };
}

describe('the place of a block on pfSense, with pfsense_place: auto', () => {
  const cases: Readonly<Record<string, readonly [PlaceQuestion, string]>> = {
    'a quick floating rule passes it': [ask([monitoring, own, onWan]), 'floating'],
    'the same, and no rule of the interface is loaded': [ask([monitoring]), 'floating'],
    'a floating rule that is not quick passes it': [
      ask([{ ...monitoring, fields: `<type>pass</type>${floating.replace('<quick>yes</quick>', '')}` }, onWan]),
      'interface, not asked',
    ],
    'a floating rule passes another port': [
      ask([{ ...monitoring, line: pass.replace('ssh', 'https') }, onWan]),
      'interface',
    ],
    'a floating rule passes a part of it': [
      ask([monitoring, onWan], { flow: { ...flow, protocol: 'tcp/udp' } }),
      'floating',
    ],
    'a floating rule passes its source network only': [
      ask([{ ...monitoring, line: pass.replace('from any', 'from 203.0.113.64/26') }, onWan]),
      'interface',
    ],
    'a floating rule passes IPv6 only': [
      ask([{ ...monitoring, line: pass.replace('inet', 'inet6') }, onWan]),
      'interface',
    ],
    'a floating rule blocks its source ahead of the one that passes it': [
      ask([
        {
          tracker: 1718000003,
          fields: `<type>block</type>${floating}`,
          line: 'block drop in quick inet from 203.0.113.0/24 to any',
        },
        monitoring,
      ]),
      'interface',
    ],
    'a floating rule that cannot be read may pass it': [
      ask([{ ...monitoring, line: `${pass} tagged T0` }, onWan]),
      'interface',
    ],
    'a disabled floating rule would pass it': [
      ask([{ tracker: 1718000001, fields: `<disabled></disabled><type>pass</type>${floating}` }, onWan]),
      'interface, not asked',
    ],
    'a floating rule that is not loaded would pass it': [
      ask([{ tracker: 1718000001, fields: `<type>pass</type>${floating}` }, onWan]),
      'interface',
    ],
    'a rule of its own tab passes it': [ask([own, onWan]), 'interface, not asked'],
    "a rule of its interface's group passes it": [ask([ofGroup('EDGES', 1718000004), own, onWan]), 'floating'],
    'a rule of the class of its VPN passes it': [
      ask([ofGroup('openvpn', 1718000005), onWan], { flow: { ...flow, interface: 'opt1' } }),
      'floating',
    ],
    'a rule of the class of another VPN': [ask([ofGroup('openvpn', 1718000005), onWan]), 'interface'],
    'it is for a group, and a rule of that group passes it': [
      ask([ofGroup('EDGES', 1718000004)], { flow: { ...flow, interface: 'EDGES' } }),
      'interface',
    ],
    'it is for a group, and a rule of another group passes it': [
      ask([ofGroup('AHEAD', 1718000006), ofGroup('EDGES', 1718000004)], { flow: { ...flow, interface: 'EDGES' } }),
      'interface',
    ],
    'the same on pfSense 2.9, where that group comes first': [
      ask([of29('AHEAD', 1718000006), of29('EDGES', 1718000004)], { flow: { ...flow, interface: 'EDGES' } }),
      'floating',
    ],
    'the same, and no rule of its group is loaded': [
      ask([of29('AHEAD', 1718000006)], { flow: { ...flow, interface: 'EDGES' } }),
      'floating',
    ],
    'it is for a group on pfSense 2.9, and a rule of a class of VPNs passes it': [
      ask([of29('openvpn', 1718000005)], {
        flow: { ...flow, interface: 'EDGES' },
        ifconfig: 'ovpns1: flags=8051\n\tgroups: tun openvpn EDGES\n',
      }),
      'interface',
    ],
    'a port forward passes it before any rule': [
      ask([monitoring, onWan], {
        translations: 'rdr pass on em0 inet proto tcp from any to 198.51.100.2 port = 2222 -> 192.168.1.10 port 22\n',
      }),
      'interface',
    ],
    'the anti-lockout rule passes it': [ask([monitoring, onWan], {}, deny + lockout), 'interface'],
    'pf does not list its translations': [ask([monitoring, onWan], { translations: null }), 'interface'],
    'pf does not list its rules': [ask([monitoring, onWan], { rules: null }), 'interface, not asked'],
    'two rules of one tracker, on two tabs': [
      ask([monitoring, { tracker: 1718000001, fields: '<interface>wan</interface>' }]),
      'floating',
    ],
  };
  const places = new Map<string, string | undefined>();
  before(() => {
    const answers = choosePlaces(Object.values(cases).map(([question]) => question));
    Object.keys(cases).forEach((title, index) => places.set(title, answers[index]));
  });

  for (const [title, [, expected]] of Object.entries(cases))
    it(`${title}: ${expected}`, () => {
      expect(places.get(title)).to.equal(expected);
    });
});
