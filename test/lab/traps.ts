/** What pfSense makes of rules and files that look right: the lab must do the same, and the role must not fall for it. */
import type { Version } from './firewall.js';
import { insertRule, ruleXml, tracker, type RuleFields } from './rule.js';

/** What filter.inc of 2.7.2 makes of a good rule. */
export const goodLine =
  'block  in  quick  on $WAN reply-to ( em0 198.51.100.1 ) inet proto tcp  from 203.0.113.7 to 192.168.1.10 port 22 ' +
  `ridentifier ${tracker} flags S/SA label "USER_RULE: blocked" label "id:${tracker}"`;

/** The same rule, by each version. */
export const goodLines: readonly (readonly [Version, string])[] = [
  ['2.4.5', goodLine.replace('ridentifier', 'tracker').replace(/ label "id:\d+"/, '')],
  ['2.6.0', goodLine.replace(/ label "id:\d+"/, '')],
  ['2.7.2', goodLine],
  ['2.8', goodLine.replace('reply-to ( em0 198.51.100.1 ) ', '')],
  [
    'master',
    `${goodLine.replace('reply-to ( em0 198.51.100.1 ) ', '').replace(/ label.*/, '')} ` +
      `label "id=${tracker}" label "tags=user_rule" label "descr=blocked"`,
  ],
];

/** Title, what is different from the good rule, and the line in rules.debug; '' where there is none. */
export const ruleTraps: readonly (readonly [string, RuleFields, string | RegExp])[] = [
  ["the article's rule loses its port", { protocol: '' }, goodLine.replace(' port 22', '').replace(' flags S/SA', '')],
  ['no type is a pass rule', { type: '' }, /^pass {2}in {2}quick .* flags S\/SA keep state label/],
  ['Block is a pass rule', { type: 'Block' }, /^pass /],
  ['deny is a pass rule', { type: 'deny' }, /^pass /],
  ['reject is block return', { type: 'reject' }, /^block return {2}in {2}quick {2}on \$WAN /],
  ['port 0 is no port', { port: '0' }, goodLine.replace(' port 22', '')],
  ['port 70000 is a comment', { port: '70000' }, /^# Unresolvable destination port alias '70000'.* label "USER_RULE/],
  ['a service name is a port', { port: 'ssh' }, / port ssh /],
  ['TCP in capitals has no flags', { protocol: 'TCP' }, / proto TCP {2}from \S+ to \S+ port 22 ridentifier \d+ label/],
  ['icmp has no port', { protocol: 'icmp' }, / proto icmp {2}from 203.0.113.7 to 192.168.1.10 ridentifier/],
  ['no protocol and no port is all there is', { protocol: '', port: '' }, / inet from 203.0.113.7 to 192.168.1.10 rid/],
  ['tcpflags_any is flags any', { more: '<tcpflags_any></tcpflags_any>' }, / flags any label/],
  ['log is said', { more: '<log></log>' }, /^block {2}in log {2}quick /],
  [
    'WAN in capitals is a comment',
    { interface: 'WAN' },
    /^# array key "WAN" does not exist for "blocked".* label "USER/,
  ],
  ['a NIC is a comment', { interface: 'em0' }, /^# array key "em0" does not exist/],
  ["an interface's name is a comment", { interface: 'DMZ' }, /^# array key "DMZ" does not exist/],
  ['a disabled interface is a comment', { interface: 'opt3' }, /^# array key "opt3" does not exist/],
  ['no interface is a comment', { interface: '' }, /^# array key "" does not exist/],
  ['a group is an interface', { interface: 'Inside' }, / on \$Inside inet /],
  ['203.0.113.777 is a comment', { source: '203.0.113.777' }, /^# Unresolvable source alias '203.0.113.777'/],
  ['leading zeros are a comment', { source: '203.0.113.007' }, /^# Unresolvable source alias/],
  ['a number is a comment', { source: '3405803783' }, /^# Unresolvable source alias/],
  ['a host name is a comment', { source: 'evil.example' }, /^# Unresolvable source alias/],
  ['a leading space is a comment', { source: ' 203.0.113.7' }, /^# Unresolvable source alias ' 203.0.113.7'/],
  ['no source is a comment', { source: '' }, /^# source address is empty\./],
  ['an empty source is a comment', { source: '<address></address>' }, /^# source address is empty\./],
  ['no destination is a comment', { destination: '', port: '' }, /^# destination address is empty\./],
  ['0.0.0.0/0 is taken', { source: '0.0.0.0/0' }, / from 0.0.0.0\/0 to /],
  ['an alias is taken, even of ports', { source: 'Web_Ports' }, / from \$Web_Ports to /],
  ['disabled is gone', { more: '<disabled></disabled>' }, ''],
  [
    'a long description is cut at 52 letters',
    { descr: `blocked ${'x'.repeat(80)}` },
    /label "USER_RULE: blocked x{41}\.\.\." label/,
  ],
  [
    'IPv6 goes with inet6',
    { ipprotocol: 'inet6', source: '2001:db8::7', destination: '2001:db8:1::10' },
    / on \$WAN inet6 /,
  ],
];

/** Rules that make pf refuse the whole set, with its complaint. */
export const refusedRules: readonly (readonly [string, RuleFields, RegExp])[] = [
  ['inet with an IPv6 source', { source: '2001:db8::7' }, /rules\.debug:\d+: rule expands to no valid combination/],
  ['IPv4 to IPv6', { ipprotocol: 'inet6' }, /rule expands to no valid combination/],
  ['inet46 with an IPv4 source', { ipprotocol: 'inet46' }, /rule expands to no valid combination/],
  ['a tracker that is no number', { tracker: 'ossim-42' }, /rules\.debug:\d+: syntax error/],
  ['a description that ends in a backslash', { descr: 'blocked\\' }, /rules\.debug:\d+: syntax error/],
  ['a label that grows too long', { descr: `blocked ${'x'.repeat(35)} $srcaddr` }, /label too long/],
];

/** Changes to a file, with what the parser says; undefined where it takes the file. */
export const fileTraps: readonly (readonly [string, (text: string) => string, RegExp | undefined])[] = [
  ['its own file', (text) => text, undefined],
  ['a rule on one line', (text) => insertRule(text, ruleXml()), undefined],
  ['upper-case tags', (text) => text.replaceAll('<rule>', '<RULE>').replaceAll('</rule>', '</RULE>'), undefined],
  ['an unescaped &', (text) => insertRule(text, ruleXml({ descr: 'a & b' })), /XML error: Not well-formed/],
  ['text after the end', (text) => `${text}<rule></rule>`, /XML error: Junk after document element/],
  ['a missing end', (text) => text.replace('\n\t</filter>', ''), /XML error: Mismatched tag/],
  ['nothing at all', () => '', /no pfsense object found/],
  ['another root', (text) => text.replaceAll('pfsense>', 'opnsense>'), /no pfsense object found/],
  [
    'a second filter',
    (text) => text.replace('\t<shaper>', '\t<filter></filter>\n\t<shaper>'),
    /FILTER at line \d+ cannot occ/,
  ],
  [
    'lines of mixed spaces',
    (text) => text.replace('\n\t<filter>\n', '\n  \t  \n  <filter>\n'),
    /Cannot create references/,
  ],
];
