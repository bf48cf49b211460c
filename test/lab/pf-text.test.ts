/** What pfSense's own PHP makes of a configuration, by version, and what pf makes of that. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { compile, compileAll } from './compile.js';
import { sample, type Version } from './firewall.js';
import { insertRule, ruleXml, type RuleFields } from './rule.js';

const versions: readonly Version[] = ['2.4.5', '2.6.0', '2.7.2', '2.8', 'master'];
const old: readonly Version[] = ['2.4.5', '2.6.0', '2.7.2'];
const office = readFileSync(sample('office'), 'utf8');

const floating = (more: string, fields: RuleFields = {}): string =>
  insertRule(
    office,
    ruleXml({ interface: '', protocol: '', port: '', ...fields, more: `<floating>yes</floating>${more}` }),
  );
const quickIn = '<direction>in</direction><quick>yes</quick>';

/** The line of the rule that `ruleXml` makes, up to its number, with single spaces; by version. */
async function linesOf(config: string, of: readonly Version[] = versions): Promise<Map<Version, string>> {
  const made = await compileAll(of.map((version) => ({ config, version })));
  return new Map(
    of.map((version, index) => {
      const line = made[index]?.generated.find((one) => /2000000001|blocked/.test(one)) ?? '';
      return [version, line.replace(/ (?:ridentifier|tracker) .*/, '').replaceAll(/ +/g, ' ')];
    }),
  );
}

async function expectLines(config: string, expected: string | ((version: Version) => string)): Promise<void> {
  for (const [version, line] of await linesOf(config)) {
    expect(line, version).to.equal(typeof expected === 'string' ? expected : expected(version));
  }
}

/** Puts an element into the root of the configuration, in the place of an empty one. */
const withElement = (config: string, element: string): string =>
  config.replace('\n\t<ipsec></ipsec>\n', '\n').replace('\n\t<filter>', `\n\t${element}\n\t<filter>`);

describe('the lab makes of a floating rule', function () {
  this.timeout(60_000);
  const ends = 'inet from 203.0.113.7 to 192.168.1.10';

  it('a line for one interface by the name of its card, with the gateway in old versions', async () => {
    await expectLines(floating(quickIn, { interface: 'wan' }), (version) =>
      old.includes(version)
        ? `block in quick on { em0 } reply-to ( em0 198.51.100.1 ) ${ends}`
        : `block in quick on { em0 } ${ends}`,
    );
  });

  it('a line for several interfaces, for a group, for every interface', async () => {
    await expectLines(floating(quickIn, { interface: 'wan,lan' }), `block in quick on { em0 em1 } ${ends}`);
    await expectLines(floating(quickIn, { interface: 'Inside' }), `block in quick on { Inside } ${ends}`);
    await expectLines(floating(quickIn), `block in quick ${ends}`);
    await expectLines(floating(quickIn, { interface: 'wan,opt9' }), `block in quick on { em0 } ${ends}`);
  });

  it('a line for every interface in 2.4.5, and a comment later, where it knows none of its interfaces', async () => {
    await expectLines(floating(quickIn, { interface: 'opt9' }), (version) =>
      version === '2.4.5'
        ? `block in quick ${ends}`
        : '# rule blocked has no enabled interfaces label "' +
          (version === 'master'
            ? `id=2000000001" label "tags=user_rule" label "descr=blocked"`
            : 'USER_RULE: blocked"') +
          (version === '2.7.2' || version === '2.8' ? ' label "id:2000000001"' : ''),
    );
    for (const [version, line] of await linesOf(floating(quickIn, { interface: 'any' }))) {
      expect(line.startsWith('#'), version).to.equal(version === '2.6.0');
      if (version !== '2.6.0') expect(line).to.equal(`block in quick ${ends}`);
    }
  });

  it('its direction, and `in` where <floating> is empty; no quick where it has none', async () => {
    await expectLines(floating('<direction>out</direction><quick>yes</quick>'), `block out quick ${ends}`);
    await expectLines(floating('<direction>any</direction><quick>yes</quick>'), `block quick ${ends}`);
    await expectLines(floating('<direction>in</direction>'), `block in ${ends}`);
    const empty = floating('<direction>out</direction><quick>yes</quick>').replace('<floating>yes<', '<floating><');
    await expectLines(empty, `block in quick ${ends}`);
  });

  it('a set that pf refuses, up to 2.7.2, without a direction on an interface with a gateway', async () => {
    const config = floating('<quick>yes</quick>', { interface: 'wan' });
    const made = await compileAll(versions.map((version) => ({ config, version })));
    for (const [index, version] of versions.entries()) {
      const complaints = made[index]?.complaints.join() ?? '';
      if (old.includes(version)) expect(complaints).to.match(/direction must be explicit with rules that specify/);
      else expect(complaints).to.equal('');
    }
  });
});

describe('the lab makes of flags, families and gateways', function () {
  this.timeout(60_000);

  it('flags any for tcp alone, by presence of <tcpflags_any>', async () => {
    for (const more of ['<tcpflags_any></tcpflags_any>', '<tcpflags_any>yes</tcpflags_any>']) {
      for (const version of versions) {
        const { generated } = await compile(insertRule(office, ruleXml({ more })), version);
        expect(
          generated.find((line) => line.includes('2000000001')),
          version,
        ).to.include(' flags any label');
        const both = await compile(insertRule(office, ruleXml({ more, protocol: 'tcp/udp' })), version);
        expect(both.generated.find((line) => line.includes('2000000001'))).to.not.include('flags');
      }
    }
  });

  it('reply-to for a pass rule in every version', async () => {
    for (const [version, line] of await linesOf(insertRule(office, ruleXml({ type: 'pass' })))) {
      expect(line, version).to.include(' on $WAN reply-to ( em0 198.51.100.1 ) inet ');
    }
  });
});

describe('the lab knows the keys that the rules page offers:', function () {
  this.timeout(60_000);
  const offered: readonly (readonly [string, string, string, string])[] = [
    ['enc0', '<ipsec><phase1><ikeid>1</ikeid></phase1></ipsec>', '$IPsec', 'enc0'],
    ['openvpn', '<openvpn><openvpn-client><disable></disable></openvpn-client></openvpn>', '$OpenVPN', 'openvpn'],
    ['l2tp', '<l2tp><mode>server</mode></l2tp>', '$L2TP', 'l2tp'],
    ['pppoe', '<pppoes><pppoe><mode>server</mode></pppoe></pppoes>', '$pppoe', 'pppoe'],
  ];
  for (const [key, element, macro, name] of offered) {
    it(`${key} once it is configured, and pf knows it as ${name}`, async () => {
      const rule = insertRule(office, ruleXml({ interface: key }));
      const without = await linesOf(rule);
      for (const line of without.values()) expect(line).to.match(/^# array key/);
      const config = withElement(rule, element);
      await expectLines(config, `block in quick on ${macro} inet proto tcp from 203.0.113.7 to 192.168.1.10 port 22`);
      const { rules } = await compile(config);
      expect(rules.find((line) => line.includes('2000000001'))).to.match(
        new RegExp(`^block drop in quick on ${name} inet`),
      );
    });
  }

  it('a disabled phase 1 offers no enc0; a group without members is offered', async () => {
    const rule = insertRule(office, ruleXml({ interface: 'enc0' }));
    const disabled = withElement(rule, '<ipsec><phase1><disabled></disabled></phase1></ipsec>');
    for (const line of (await linesOf(disabled)).values()) expect(line).to.match(/^# array key/);
    const empty = insertRule(office, ruleXml({ interface: 'Nobody' })).replace(
      '<ifgroups>',
      '<ifgroups>\n\t\t<ifgroupentry><ifname>Nobody</ifname><members></members></ifgroupentry>',
    );
    await expectLines(empty, 'block in quick on $Nobody inet proto tcp from 203.0.113.7 to 192.168.1.10 port 22');
  });

  it('sorts floating, then groups and VPNs, then interfaces; master by key, the others as in the file', async () => {
    const keys = ['opt1', 'lan', 'openvpn', 'enc0', 'Inside', 'pppoe', 'wan', 'l2tp'];
    const rules = keys.map(
      (key, index) => `<rule>${ruleXml({ interface: key, tracker: String(2100000001 + index) })}</rule>`,
    );
    const last = `<rule>${ruleXml({ interface: '', tracker: '2100000099', more: `<floating>yes</floating>${quickIn}` })}</rule>`;
    const filter = office.replace(/\n\t<filter>[^]*\n\t<\/filter>/, `\n\t<filter>${rules.join('')}${last}</filter>`);
    const config = offered.reduce((text, [, element]) => withElement(text, element), filter);
    const orders = await compileAll(versions.map((version) => ({ config, version })));
    for (const [index, version] of versions.entries()) {
      const found = orders[index]?.generated.flatMap(
        (line) => /(?:tracker|ridentifier) 21000000(\d\d) /.exec(line)?.[1] ?? [],
      );
      const names = (found ?? []).map((number) => keys[Number(number) - 1] ?? 'floating');
      const expected =
        version === 'master'
          ? ['Inside', 'l2tp', 'pppoe', 'enc0', 'openvpn', 'wan', 'lan', 'opt1']
          : ['openvpn', 'enc0', 'Inside', 'pppoe', 'l2tp', 'opt1', 'lan', 'wan'];
      expect(names, version).to.deep.equal(['floating', ...expected]);
    }
  });
});

describe('the lab makes of port forwards and 1:1 NAT', function () {
  this.timeout(60_000);
  const start = 'rdr on em0 inet proto tcp from any to ';
  const withNat = (element: string): string =>
    office
      .replace(/\n\t\t<separator><\/separator>\n\t\t<rule>[^]*?\n\t<\/nat>/, `\n\t\t${element}\n\t</nat>`)
      .replace('\n\t<system>\n', '\n\t<system>\n\t\t<disablenatreflection>yes</disablenatreflection>\n');
  const forward = (destination: string, rest: string, protocol = '<protocol>tcp</protocol>'): string =>
    `<rule><source><any></any></source><destination>${destination}</destination><ipprotocol>inet</ipprotocol>` +
    `${protocol}<interface>wan</interface>${rest}</rule>`;
  const target = (port: string): string => `<target>192.168.1.10</target><local-port>${port}</local-port>`;

  /** Title, configuration, what `pfctl -sn` shows by 2.7.2 (without pfSense's own lines). */
  const translated: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'the same port',
      forward('<network>wanip</network><port>22</port>', target('22')),
      [`${start}198.51.100.2 port = ssh -> 192.168.1.10`],
    ],
    [
      'another port',
      forward('<address>198.51.100.10</address><port>2222</port>', target('22')),
      [`${start}198.51.100.10 port = 2222 -> 192.168.1.10 port 22`],
    ],
    [
      'a range',
      forward('<any></any><port>8000-8010</port>', target('9000')),
      [`${start}any port 8000:8010 -> 192.168.1.10 port 9000:9010`],
    ],
    [
      'a network',
      forward('<network>wan</network><port>22</port>', target('22')),
      [`${start}<WAN__NETWORK> port = ssh -> 192.168.1.10`],
    ],
    [
      'tcp and udp',
      forward('<network>(self)</network><port>53</port>', target('53'), '<protocol>tcp/udp</protocol>'),
      [
        `${start}(self) port = domain -> 192.168.1.10`,
        'rdr on em0 inet proto udp from any to (self) port = domain -> 192.168.1.10',
      ],
    ],
    [
      'icmp, without ports',
      forward('<network>wanip</network>', target('22'), '<protocol>icmp</protocol>'),
      ['rdr on em0 inet proto icmp from any to 198.51.100.2 -> 192.168.1.10'],
    ],
    [
      'any protocol',
      forward('<network>wanip</network>', target(''), '<protocol>any</protocol>'),
      ['rdr on em0 inet from any to 198.51.100.2 -> 192.168.1.10'],
    ],
    [
      'nordr',
      forward('<any></any><port>25</port>', '<nordr></nordr>'),
      ['no rdr on em0 inet proto tcp from any to any port = smtp'],
    ],
    [
      'an associated pass',
      forward(
        '<network>wanip</network><port>22</port>',
        `${target('22')}<associated-rule-id>pass</associated-rule-id>`,
      ),
      ['rdr pass on em0 inet proto tcp from any to 198.51.100.2 port = ssh -> 192.168.1.10'],
    ],
    [
      'an associated rule',
      forward(
        '<network>wanip</network><port>22</port>',
        `${target('22')}<associated-rule-id>nat_1</associated-rule-id>`,
      ),
      [`${start}198.51.100.2 port = ssh -> 192.168.1.10`],
    ],
    ['disabled', forward('<any></any><port>22</port>', `${target('22')}<disabled></disabled>`), []],
    [
      'an alias as source and a source port',
      forward('<network>wanip</network><port>22</port>', target('22')).replace(
        '<source><any></any>',
        '<source><address>Probes</address><not></not><port>1024:65535</port>',
      ),
      ['rdr on em0 inet proto tcp from ! <Probes> port 1024:65535 to 198.51.100.2 port = ssh -> 192.168.1.10'],
    ],
    [
      'reflection',
      forward('<network>wanip</network><port>22</port>', `${target('22')}<natreflection>purenat</natreflection>`),
      [
        `${start}198.51.100.2 port = ssh -> 192.168.1.10`,
        ...['em1', 'em2', 'em1.40', 'Inside'].map(
          (nic) => `rdr on ${nic} inet proto tcp from any to 198.51.100.2 port = ssh -> 192.168.1.10`,
        ),
      ],
    ],
    [
      '1:1',
      '<onetoone><external>198.51.100.40</external><interface>wan</interface><source><address>192.168.1.40</address></source>' +
        '<destination><any></any></destination></onetoone>',
      ['binat on em0 inet from 192.168.1.40 to any -> 198.51.100.40'],
    ],
    [
      '1:1 of a network',
      '<onetoone><external>198.51.100.64</external><interface>wan</interface><source><address>192.168.1.64/28</address></source>' +
        '<destination><any></any></destination></onetoone>',
      ['binat on em0 inet from 192.168.1.64/28 to any -> 198.51.100.64/28'],
    ],
    [
      'a disabled 1:1',
      '<onetoone><disabled></disabled><external>198.51.100.40</external><interface>wan</interface>' +
        '<source><address>192.168.1.40</address></source><destination><any></any></destination></onetoone>',
      [],
    ],
  ];

  it('what pfctl -sn shows', async () => {
    const made = await compileAll(translated.map(([, element]) => ({ config: withNat(element), version: '2.7.2' })));
    for (const [index, [title, , expected]] of translated.entries()) {
      expect(made[index]?.complaints, title).to.deep.equal([]);
      const lines = made[index]?.translations.filter((line) => !/anchor|carp/.test(line));
      expect(lines, title).to.deep.equal(expected);
    }
  });

  it('no word for the family in 2.4.5, and a set that pf refuses without <protocol>', async () => {
    const made = await compile(withNat(forward('<any></any><port>22</port>', target('22'))), '2.4.5');
    expect(made.generated).to.include('rdr on em0 proto tcp from any to any port 22 -> 192.168.1.10');
    const without = withNat(forward('<any></any><port>22</port>', target('22'), ''));
    for (const answer of await compileAll(versions.map((version) => ({ config: without, version })))) {
      expect(answer.complaints.join()).to.match(/unknown protocol from/);
    }
  });
});

describe('the lab makes of 40 varied rules', function () {
  this.timeout(60_000);
  const folder = path.join(process.env['FIREBREAK_SAMPLES'] ?? '', 'pfsense/rules');
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  const isRule = (line: string): boolean =>
    /^(?:pass|block|match) /.test(line) && /USER_RULE|tags=user_rule/.test(line);
  const spaced = (line: string): string =>
    line
      .replaceAll(/([()])/g, ' $1 ')
      .replaceAll(/ +/g, ' ')
      .replace(/\( max .*?\)/, '( limits )')
      .trim();

  for (const [version, name] of [
    ['2.4.5', '2.4.5'],
    ['2.7.2', '2.7.2'],
    ['master', '2.9-dev'],
  ] as const) {
    it(`what pfSense ${name} made of them`, async function () {
      if (!existsSync(folder)) this.skip();
      const { generated, complaints } = await compile(read('config.xml'), version);
      const expected = read(`rules-debug-${name}.txt`).split('\n').filter(isRule).map(spaced);
      expect(generated.filter(isRule).map(spaced).join('\n')).to.equal(expected.join('\n'));
      expect(complaints).to.deep.equal([]);
    });
  }

  it('what pfctl showed of them', async function () {
    if (!existsSync(folder)) this.skip();
    const { rules } = await compile(read('config.xml'));
    // A pfctl of its own made the print: it had other interfaces, knows one label and no number, and no `match`.
    const alike = (line: string): string =>
      spaced(line.replaceAll(/ (?:label "(?:id|gw|s):[^"]*"|ridentifier \d+)/g, ''))
        .replace(
          / on (?:EDGES|em2) inet proto tcp from any to 192.168.1.10 /,
          ' on EDGES inet proto tcp from any to 192.168.1.10 ',
        )
        .replace(/ on (?:openvpn|ovpns1) /, ' on openvpn ')
        .replace('os "nomatch"', 'os "Linux"');
    const ours = rules.filter((line) => line.includes('USER_RULE') && !line.startsWith('match')).map(alike);
    expect(ours).to.deep.equal(read('pfctl-nv-2.7.2.txt').trimEnd().split('\n').map(alike));
  });
});
