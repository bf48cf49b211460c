/** Random configurations that pfSense would read, in layouts that a GUI, an editor or another tool leaves behind. */
import fc from 'fast-check';
import { computeTracker } from '#firebreak/core/tracker.js';
import type { Flow } from './ansible.js';

type Layout = 'gui' | 'line' | 'attribute' | 'shared' | 'indented';

/** What stands for one of our flows before the run, and what the run wants of it. */
export interface Wanted {
  readonly flow: Required<Flow>;
  readonly standing: 'no' | 'right' | 'earlier' | 'disabled' | 'changed';
  readonly want: 'present' | 'absent' | 'nothing';
}

export interface RandomConfig {
  readonly text: string;
  readonly wanted: readonly Wanted[];
}

interface OtherRule {
  readonly descr: string;
  readonly layout: Layout;
  readonly comment: boolean;
}

const layout = fc.constantFrom<Layout>('gui', 'line', 'attribute', 'shared', 'indented');

const address = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 254 }))
  .map((parts) => parts.join('.'));

const flow = fc
  .record({
    type: fc.constantFrom('block', 'reject'),
    interface: fc.constantFrom('wan', 'lan'),
    protocol: fc.constantFrom('tcp', 'udp', 'tcp/udp', 'icmp', 'any'),
    source: address,
    destination: address,
    port: fc.integer({ min: 1, max: 65535 }).map(String),
    description: fc.constantFrom('blocked for ssh anomaly', '', 'a.b:c_d-e 1'),
  })
  .map((one): Required<Flow> => {
    const plain = { ...one, ipprotocol: 'inet', port: ['icmp', 'any'].includes(one.protocol) ? '' : one.port };
    return { ...plain, tracker: computeTracker(plain as Parameters<typeof computeTracker>[0]) }; // words of the flow's own lists
  });

const wanted = fc.record({
  flow,
  standing: fc.constantFrom('no', 'no', 'right', 'earlier', 'disabled', 'changed'),
  want: fc.constantFrom('present', 'present', 'absent', 'absent', 'nothing'),
}) as fc.Arbitrary<Wanted>;

const otherRule: fc.Arbitrary<OtherRule> = fc.record({
  descr: fc.constantFrom('', 'web', 'A &amp;amp; B', 'caf&amp;eacute; &quot;x&quot;', '&lt;rule&gt; &lt;/filter&gt;'),
  layout,
  comment: fc.boolean(),
});

const shape = fc.record({
  eol: fc.constantFrom('\n', '\n', '\r\n'),
  finalNewline: fc.boolean(),
  filter: fc.constantFrom('lines', 'lines', 'lines', 'one line', 'shared', 'pair', 'selfclosed', 'none', 'empty lines'),
  syslog: fc.constantFrom('none', 'before', 'behind'),
  separators: fc.boolean(),
  comments: fc.boolean(),
  notes: fc.constantFrom('', 'x', '<filter>', '\n\t\t<rule>\n', '<tracker>17</tracker>'),
  rules: fc.array(otherRule, { maxLength: 6 }),
  wanted: fc.uniqueArray(wanted, { maxLength: 6, selector: (one) => one.flow.tracker }),
  layouts: fc.array(layout, { minLength: 6, maxLength: 6 }),
  places: fc.array(fc.nat(12), { minLength: 6, maxLength: 6 }),
  padding: fc.constant<number>(0),
});

export type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function element(name: string, text: string): string {
  return `<${name}>${text}</${name}>`;
}

/** Elements of a rule, each as a line of its own and its depth. */
function ruleLines(rule: Readonly<Record<string, string>>): [number, string][] {
  return Object.entries(rule).flatMap(([name, text]): [number, string][] =>
    text.startsWith('<') && !text.startsWith('<!')
      ? [
          [0, `<${name}>`],
          ...[...text.matchAll(/<(\w+)>[^<]*<\/\1>/g)].map(([one]): [number, string] => [1, one]),
          [0, `</${name}>`],
        ]
      : [[0, element(name, text)]],
  );
}

function layRuleOut(rule: Readonly<Record<string, string>>, how: Layout): string {
  const lines = ruleLines(rule);
  const flat = lines.map(([, text]) => text).join('');
  switch (how) {
    case 'gui':
      return `\t\t<rule>\n${lines.map(([depth, text]) => `${'\t'.repeat(3 + depth)}${text}\n`).join('')}\t\t</rule>\n`;
    case 'line':
      return `\t\t<rule>${flat}</rule>\n`;
    case 'attribute':
      return `\t\t<rule id="7" by='somebody'>${flat}</rule >\n`;
    case 'indented':
      return `<rule>\n${lines.map(([, text]) => `\t${text}\n`).join('')}</rule>\n`;
    case 'shared':
      return `\t\t<rule>${flat}</rule>`; // the next rule goes on on this line
  }
}

function ourRule({ flow: one, standing }: Wanted): Readonly<Record<string, string>> {
  return {
    tracker: String(one.tracker),
    type: one.type,
    interface: one.interface,
    ipprotocol: 'inet',
    ...(one.protocol === 'tcp' && standing !== 'earlier' ? { tcpflags_any: '' } : {}),
    ...(one.protocol === 'any' ? {} : { protocol: one.protocol }),
    source: element('address', standing === 'changed' ? '198.51.100.0/24' : one.source),
    destination: element('address', one.destination) + (one.port === '' ? '' : element('port', one.port)),
    ...(standing === 'disabled' ? { disabled: '' } : {}),
    descr: '<![CDATA[somebody gave it another name]]>',
  };
}

function otherRuleXml({ descr, layout: how, comment }: OtherRule, index: number): string {
  const rule = {
    tracker: String(1_600_000_000 + index),
    type: 'pass',
    interface: 'lan',
    ipprotocol: 'inet',
    source: '<any></any>',
    destination: '<any></any>',
    descr: `<![CDATA[${descr}]]>`,
  };
  return `${comment ? '\t\t<!-- <rule> of the web server -->\n' : ''}${layRuleOut(rule, how)}`;
}

const separators =
  '\t\t<separator>\n\t\t\t<wan>\n\t\t\t\t<sep0>\n\t\t\t\t\t<row>fr0</row>\n\t\t\t\t</sep0>\n\t\t\t</wan>\n\t\t</separator>\n';

const emptyFilters: Readonly<Record<string, string>> = {
  none: '',
  selfclosed: '\t<filter/>\n',
  pair: '\t<filter></filter>\n',
};

function renderFilter(one: Shape): string {
  const rules = one.rules.map(otherRuleXml);
  one.wanted.forEach((each, index) => {
    if (each.standing !== 'no') rules.splice(one.places[index] ?? 0, 0, layRuleOut(ourRule(each), one.layouts[index]!));
  });
  const content = rules.join('') + (one.separators ? separators : '');
  if (content === '') {
    return emptyFilters[one.filter] ?? '\t<filter>\n\t</filter>\n';
  }
  // A rule that shares its line leaves it open for whatever comes next.
  const closed = /\n$/.test(content) ? content : `${content}\n`;
  if (one.filter === 'one line') return `\t<filter>${closed.replace(/\n\t*/g, '').replace(/^\t*/, '')}</filter>\n`;
  return one.filter === 'shared'
    ? `\t<filter>${closed.trimStart()}\t</filter>\n`
    : `\t<filter>\n${closed}\t</filter>\n`;
}

/** The text of a configuration of this shape; with `padding` it grows by about that many bytes. */
export function renderConfig(one: Shape): string {
  const syslog = '\t<syslog>\n\t\t<filter></filter>\n\t</syslog>\n';
  const comment = one.comments ? '\t<!-- <filter> and </filter> are below -->\n' : '';
  const user = `\t\t<user>\n\t\t\t<name>u</name>\n\t\t\t<descr><![CDATA[${'x'.repeat(80)}]]></descr>\n\t\t</user>\n`;
  const text = [
    '<?xml version="1.0"?>\n<pfsense>\n\t<version>23.3</version>\n',
    one.syslog === 'before' ? syslog : '',
    comment,
    `\t<system>\n\t\t<hostname>edge</hostname>\n${user.repeat(Math.ceil(one.padding / user.length))}\t</system>\n`,
    '\t<interfaces>\n',
    ...['wan', 'lan'].map((key) => `\t\t<${key}>\n\t\t\t<enable></enable>\n\t\t\t<if>${key}0</if>\n\t\t</${key}>\n`),
    '\t</interfaces>\n',
    `\t<notes>\n\t\t<descr><![CDATA[${one.notes}]]></descr>\n\t</notes>\n`,
    renderFilter(one),
    one.syslog === 'behind' ? syslog : '',
    comment,
    '</pfsense>',
    one.finalNewline ? '\n' : '',
  ].join('');
  return text.replaceAll('\n', one.eol);
}

/** Configurations of all shapes, with a batch for each. */
export const randomConfig: fc.Arbitrary<RandomConfig> = shape.map((one) => ({
  text: renderConfig(one),
  wanted: one.wanted,
}));

/** Batches alone, for a configuration that is there. */
export const randomBatch: fc.Arbitrary<readonly Wanted[]> = fc.uniqueArray(wanted, {
  minLength: 1,
  maxLength: 20,
  selector: (one) => one.flow.tracker,
});
