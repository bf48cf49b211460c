import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { runPlaybook, type Flow, type PlaybookRun } from '../lab/ansible.js';
import { insertRule } from '../lab/rule.js';
import { sample, startFirewall, type Firewall, type FirewallOptions } from '../lab/firewall.js';

const flow: Flow = {
  source: '203.0.113.7',
  destination: '192.168.1.10',
  port: '22',
  description: 'blocked for ssh anomaly',
};

/** Our rule as it stands in the file, with the lines it stands on. */
const ourRule = /\t\t<rule>\n\t\t\t<id><\/id>\n\t\t\t<tracker>2\d{9}<\/tracker>\n(?:\t{3,}.*\n)*\t\t<\/rule>\n/g;

/** Without what each save writes anew. */
function withoutRevision(text: string): string {
  return text.replace(/\t<revision>[^]*?<\/revision>\n/, '');
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe('the rule that the pfSense role makes', function () {
  this.timeout(240_000);
  let firewall: Firewall;

  async function start(options: FirewallOptions = {}): Promise<void> {
    firewall = await startFirewall(options);
  }

  afterEach(async () => {
    await firewall.stop();
  });

  async function block(...present: Flow[]): Promise<PlaybookRun> {
    const run = await runPlaybook(firewall, { present });
    expect(run.code, run.text).to.equal(0);
    expect(run.result().proven).to.be.true;
    return run;
  }

  /** What pfSense made of the rule with this tracker. */
  function generated(tracker: number): string {
    return firewall.generatedRules().find((line) => line.includes(` ridentifier ${tracker} `)) ?? '';
  }

  it('reads in pf as the alarm says, exactly once after two runs and a save in the GUI between', async () => {
    await start();
    const first = await block(flow);
    const [tracker = 0] = first.result().added;
    expect(first.changed()).to.be.true;
    await firewall.gui(['save']);
    const second = await block(flow);
    expect(second.result()).to.deep.include({ added: [], present: [tracker], removed: [], absent: [] });
    expect(second.changed()).to.be.false;

    expect(count(firewall.readConfig(), `<tracker>${tracker}</tracker>`)).to.equal(1);
    expect(firewall.generatedRules().filter((line) => line.includes('203.0.113.7'))).to.deep.equal([
      'block  in  quick  on $WAN reply-to ( em0 198.51.100.1 ) inet proto tcp  from 203.0.113.7 to 192.168.1.10 port 22 ' +
        `ridentifier ${tracker} flags any label "USER_RULE: blocked for ssh anomaly" label "id:${tracker}"`,
    ]);
  });

  it("has pfSense's own elements in pfSense's own order, each on a line of its own, indented with tabs", async () => {
    await start();
    const [tracker] = (await block(flow)).result().added;
    const [rule = ''] = firewall.readConfig().match(ourRule) ?? [];
    expect(rule.replace(/<time>\d{10}</, '<time>NOW<')).to.equal(
      [
        '\t\t<rule>',
        '\t\t\t<id></id>',
        `\t\t\t<tracker>${tracker}</tracker>`,
        '\t\t\t<type>block</type>',
        '\t\t\t<interface>wan</interface>',
        '\t\t\t<ipprotocol>inet</ipprotocol>',
        '\t\t\t<tcpflags_any></tcpflags_any>',
        '\t\t\t<protocol>tcp</protocol>',
        '\t\t\t<source>',
        '\t\t\t\t<address>203.0.113.7</address>',
        '\t\t\t</source>',
        '\t\t\t<destination>',
        '\t\t\t\t<address>192.168.1.10</address>',
        '\t\t\t\t<port>22</port>',
        '\t\t\t</destination>',
        '\t\t\t<descr><![CDATA[blocked for ssh anomaly]]></descr>',
        '\t\t\t<created>',
        '\t\t\t\t<time>NOW</time>',
        '\t\t\t\t<username><![CDATA[Firebreak]]></username>',
        '\t\t\t</created>',
        '\t\t</rule>',
        '',
      ].join('\n'),
    );
  });

  it('is all that changes in the file, and a save in the GUI changes not a byte of it', async () => {
    await start();
    await firewall.gui(['save']);
    const before = firewall.readConfig();
    await block(flow, { ...flow, port: '443', description: '' });
    const after = firewall.readConfig();
    expect(after.match(ourRule)).to.have.length(2);
    expect(after.replace(ourRule, '')).to.equal(before);
    await firewall.gui(['save']);
    expect(withoutRevision(firewall.readConfig())).to.equal(withoutRevision(after));
  });

  it('leaves the separators of its tab alone, and they are where pfSense puts them once it is released', async () => {
    await start();
    const rows = (): string[] =>
      /<separator>\n\t{3}<wan>[^]*?<\/wan>/.exec(firewall.readConfig())?.[0].match(/fr\d+/g) ?? [];
    const easyRule = ['easyrule', '--interface', 'wan', '--source', '203.0.113.9'];
    const before = firewall.readConfig();
    expect(rows()).to.deep.equal(['fr0', 'fr2']);
    const batch = [flow, { ...flow, port: '443' }];
    const [tracker] = (await block(...batch)).result().added;
    expect(rows()).to.deep.equal(['fr0', 'fr2']);
    await firewall.gui(easyRule);
    await runPlaybook(firewall, { absent: batch });
    const after = rows();
    firewall.writeConfig(before);
    firewall.dropCache();
    await firewall.gui(easyRule);
    expect(after).to.deep.equal(rows()).and.to.deep.equal(['fr1', 'fr3']);

    firewall.writeConfig(before);
    firewall.dropCache();
    await block(flow);
    await firewall.gui(['delete-rule', String(tracker)]);
    expect(rows(), 'deleted in the GUI').to.deep.equal(['fr0', 'fr1']);
  });

  it('comes first among the rules of its interface', async () => {
    await start();
    const [tracker] = (await block(flow)).result().added;
    const onWan = firewall
      .generatedRules()
      .filter((line) => /^(block|pass) .*on \$WAN .*ridentifier 1718|from 203/.test(line));
    expect(onWan[0]).to.include(`ridentifier ${tracker} `);
  });

  it('comes before every floating rule with pfsense_place, and is then treated like any other', async () => {
    await start();
    const monitoring =
      '<tracker>1700000001</tracker><type>pass</type><interface>wan</interface><ipprotocol>inet</ipprotocol>' +
      '<direction>in</direction><quick>yes</quick><floating>yes</floating><source><any></any></source>' +
      '<destination><any></any></destination><descr>Allow monitoring</descr>';
    firewall.writeConfig(insertRule(firewall.readConfig(), monitoring));
    firewall.dropCache();
    await firewall.gui(['save']);
    const unknown = await runPlaybook(firewall, { present: [flow], vars: { pfsense_place: 'top' } });
    expect(unknown.error()?.message).to.include(
      'value of rule_place must be one of: interface, floating, auto, got: top',
    );
    const run = await runPlaybook(firewall, { present: [flow], vars: { pfsense_place: 'floating' } });
    expect(run.result().proven, run.text).to.be.true;
    const [tracker = 0] = run.result().added;
    const rules = await firewall.loadedRules();
    const place = (number: number): number => rules.findIndex((rule) => rule.endsWith(` ridentifier ${number}`));
    expect(place(tracker)).to.be.within(0, place(1700000001) - 1);
    expect(generated(tracker)).to.match(/^block {2}in {2}quick {2}on \{ {2}em0 {2}\} .*inet proto tcp .* flags any /);
    const written = withoutRevision(firewall.readConfig());
    await firewall.gui(['save']);
    expect(withoutRevision(firewall.readConfig())).to.equal(written);

    expect((await block(flow)).changed()).to.be.false;
    const [rule = ''] = firewall.readConfig().match(ourRule) ?? [];
    firewall.writeConfig(firewall.readConfig().replace(rule, rule.replace('<direction>in<', '<direction>any<')));
    firewall.dropCache();
    const { text } = await runPlaybook(firewall, { playbook: 'status' });
    expect(text).to.include(`(tracker ${tracker}): it has <floating>`);
    const fixed = await runPlaybook(firewall, { present: [flow], vars: { firebreak_fix: true } });
    expect(fixed.result().added).to.deep.equal([tracker]);
    expect(firewall.readConfig().match(ourRule)?.join('')).to.not.include('floating');
    const released = await runPlaybook(firewall, { absent: [flow] });
    expect(released.result().removed).to.deep.equal([tracker]);
  });

  it('fits each type, protocol and family', async () => {
    await start();
    const kinds: readonly (readonly [Flow, RegExp])[] = [
      [
        { ...flow, type: 'reject' },
        /^block return {2}in {2}quick .* inet proto tcp {2}from 203\.0\.113\.7 .* port 22 /,
      ],
      [{ ...flow, protocol: 'udp', port: '53' }, /^block .* inet proto udp {2}from .* port 53 ridentifier \d+ label/],
      [{ ...flow, protocol: 'tcp/udp', port: '53' }, /^block .* inet proto { tcp udp } {2}from .* port 53 ridentifier/],
      [{ ...flow, protocol: 'icmp', port: '' }, /^block .* inet proto icmp {2}from 203\.0\.113\.7 to \S+ ridentifier/],
      [
        { ...flow, protocol: 'any', port: '' },
        /^block .* on \$WAN reply-to \(.*\) inet from 203\.0\.113\.7 to \S+ ridentifier/,
      ],
      [{ ...flow, source: '203.0.113.0/24' }, /^block .* from 203\.0\.113\.0\/24 to 192\.168\.1\.10 port 22 /],
      [{ ...flow, interface: 'opt1' }, /^block .* on \$\w+ .*inet proto tcp {2}from 203\.0\.113\.7 /],
      [{ ...flow, interface: 'Inside' }, /^block .* on \$Inside inet proto tcp /],
      [
        { ...flow, source: '2001:DB8:0::7', destination: '2001:db8:1::10' },
        /^block .* on \$WAN .*inet6 proto tcp {2}from 2001:db8::7 to 2001:db8:1::10 port 22 .* flags any /,
      ],
    ];
    const { added } = (await block(...kinds.map(([one]) => one))).result();
    expect(added).to.have.length(kinds.length);
    for (const [index, [, expected]] of kinds.entries()) expect(generated(added[index] ?? 0)).to.match(expected);
    await firewall.gui(['save']);
    expect((await block(...kinds.map(([one]) => one))).result().present).to.have.members(added);
  });

  it('never has a port without a protocol', async () => {
    await start();
    await block(flow, { ...flow, protocol: 'any', port: '' }, { ...flow, protocol: 'icmp', port: '0' });
    const rules = firewall.readConfig().match(ourRule) ?? [];
    expect(rules).to.have.length(3);
    for (const rule of rules.filter((one) => one.includes('<port>')))
      expect(rule).to.include('<protocol>tcp</protocol>');
    expect(rules.filter((one) => one.includes('<port>'))).to.have.length(1);
  });

  it("survives a save in the GUI between the edit and the reload, since pfSense's cache is gone by then", async () => {
    await start();
    await firewall.gui(['save']);
    expect(firewall.hasCache()).to.be.true;
    const script = path.join(firewall.root, 'etc/save-then-reload');
    writeFileSync(
      script,
      `#!/bin/sh\n${firewall.root}/usr/local/sbin/gui save && exec ${firewall.root}/etc/rc.filter_configure_sync\n`,
    );
    chmodSync(script, 0o755);
    const run = await runPlaybook(firewall, { present: [flow], vars: { pfsense_reload_command: script } });
    expect(run.result().proven, run.text).to.be.true;
    expect(firewall.readConfig()).to.include(`<tracker>${run.result().added[0]}</tracker>`);
  });

  const emptyFilters: readonly (readonly [string, FirewallOptions, (text: string) => string])[] = [
    ['<filter></filter>', { config: sample('empty-filter') }, (text) => text],
    ['<filter/>', { config: sample('selfclosed-filter') }, (text) => text],
    ['no filter at all', { config: sample('no-filter') }, (text) => text],
    ['<filter></filter> of the system log above', {}, (text) => text],
    [
      '<filter></filter> of the system log below',
      {},
      (text) => {
        const [syslog = ''] = /\t<syslog>\n[^]*?\t<\/syslog>\n/.exec(text) ?? [];
        return text.replace(syslog, '').replace('</pfsense>', `${syslog}</pfsense>`);
      },
    ],
    [
      "only the system log's <filter></filter>",
      { config: sample('no-filter') },
      (text) => text.replace('\t</syslog>', '\t\t<filter></filter>\n\t</syslog>'),
    ],
  ];
  for (const [title, options, change] of emptyFilters) {
    it(`stands in the filter below the root: ${title}`, async () => {
      await start(options);
      firewall.writeConfig(change(firewall.readConfig()));
      firewall.dropCache();
      await block(flow, { ...flow, port: '443' });
      const text = firewall.readConfig();
      // The tag has its line to itself by now, so that the next run meets the usual file.
      expect(count(text, '\n\t<filter>\n')).to.equal(1);
      expect(/\n\t<filter>\n[^]*?\n\t<\/filter>\n/.exec(text)?.[0].match(ourRule)).to.have.length(2);
      await firewall.gui(['save']);
      expect(withoutRevision(firewall.readConfig()).match(ourRule)).to.have.length(2);
    });
  }

  it('cuts the states of the blocked pair and no other, and none at the second run or a release', async () => {
    await start();
    const pair = { source: '203.0.113.7', destination: '192.168.1.10', port: 22 };
    const others = [
      { ...pair, source: '203.0.113.70' },
      { ...pair, destination: '192.168.1.100' },
    ];
    firewall.setStates([pair, { ...pair, port: 443 }, ...others]);
    await block(flow);
    expect(firewall.states()).to.have.length(2);
    firewall.setStates([pair, ...others]);
    await block(flow);
    expect(firewall.states()).to.have.length(3);
    await runPlaybook(firewall, { absent: [flow] });
    expect(firewall.states()).to.have.length(3);
  });
});

describe('the pfSense role refuses, and changes nothing,', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  before(async () => {
    firewall = await startFirewall();
  });
  after(async () => {
    await firewall.stop();
  });

  /** Title, what is different from the good flow, code, sentence. */
  const refused: readonly (readonly [string, object, string, RegExp])[] = [
    [
      'Block, which pfSense makes a pass rule',
      { type: 'Block' },
      'flow_invalid',
      /type: expected one of block, reject, got "Block": pfSense .*pass rule/,
    ],
    [
      'deny, which pfSense makes a pass rule',
      { type: 'deny' },
      'flow_invalid',
      /type: expected one of block, reject, got "deny"/,
    ],
    ['pass', { type: 'pass' }, 'flow_invalid', /type: expected/],
    ['TCP in capitals of another word', { protocol: 'sctp' }, 'flow_invalid', /protocol: expected one of tcp/],
    ['no port', { port: '' }, 'flow_invalid', /port: expected 1-65535, got ""/],
    ['port 0', { port: '0' }, 'flow_invalid', /port: expected 1-65535, got "0"/],
    ['port 70000', { port: '70000' }, 'flow_invalid', /port: expected 1-65535, got "70000"/],
    ['a port with a command', { port: '22;id' }, 'flow_invalid', /port: expected 1-65535, got "22;id"/],
    ['a service name', { port: 'ssh' }, 'flow_invalid', /port: expected 1-65535/],
    ['a port with icmp', { protocol: 'icmp' }, 'flow_invalid', /port: icmp has no ports/],
    ['203.0.113.777', { source: '203.0.113.777' }, 'flow_invalid', /source: expected an IPv4 or IPv6 address/],
    ['leading zeros', { source: '203.0.113.007' }, 'flow_invalid', /source: leading zeros/],
    ['a host name', { source: 'evil.example' }, 'flow_invalid', /source: expected an IPv4 or IPv6 address/],
    ['a leading space', { source: ' 203.0.113.7' }, 'flow_invalid', /source: expected an IPv4 or IPv6 address/],
    ['an alias', { destination: 'Web_Ports' }, 'flow_invalid', /destination: expected an IPv4 or IPv6 address/],
    ['no source', { source: '' }, 'flow_invalid', /source: /],
    ['0.0.0.0', { source: '0.0.0.0' }, 'flow_invalid', /source: 0\.0\.0\.0 is not a host address/],
    ['0.0.0.0/0', { source: '0.0.0.0/0' }, 'flow_invalid', /source: 0\.0\.0\.0\/0 is not a host address/],
    ['a zone', { source: 'fe80::1%eth0' }, 'flow_invalid', /source: expected an address without a zone/],
    ['IPv4 in IPv6 spelling, too wide', { source: '::ffff:0.0.0.0/80' }, 'flow_invalid', /host bits are not zero/],
    ['IPv6 to IPv4', { source: '2001:db8::7' }, 'flow_invalid', /different families/],
    ['one host twice', { source: '192.168.1.10' }, 'flow_invalid', /192\.168\.1\.10 is both source and destination/],
    ['inet6 with IPv4', { ipprotocol: 'inet6' }, 'flow_invalid', /ipprotocol: the addresses are inet, got inet6/],
    ['inet46', { ipprotocol: 'inet46' }, 'flow_invalid', /ipprotocol: expected one of inet, inet6/],
    ['a tracker that is no number', { tracker: 'ossim-42' }, 'flow_invalid', /tracker: expected a number/],
    ["another flow's tracker", { tracker: 2000000001 }, 'flow_invalid', /tracker 2000000001 does not belong to/],
    ['a field that pfSense might know', { disabled: '' }, 'flow_invalid', /has no field "disabled"/],
    ['the literal word SRC_IP', { source: 'SRC_IP' }, 'flow_invalid', /source is the literal word SRC_IP/],
    [
      'WAN in capitals',
      { interface: 'WAN' },
      'interface_unknown',
      /interface WAN does not exist; enabled are: Inside, lan, opt1, opt2, wan/,
    ],
    ["a NIC's name", { interface: 'em0' }, 'interface_unknown', /interface em0 does not exist; enabled are: /],
    [
      'a disabled interface',
      { interface: 'opt3' },
      'interface_disabled',
      /interface opt3 is disabled; enabled are: Inside, lan, opt1/,
    ],
    ['an interface with a quote', { interface: 'wan"' }, 'flow_invalid', /interface: expected the firewall's own key/],
  ];

  it('whatever pfSense would make a pass rule, a wider rule, a comment, or no rules at all of', async () => {
    const before = firewall.readConfig();
    // One host a case, all of them the same firewall: a run for each would take a minute.
    const varsOf = refused.map(
      ([, change], index) =>
        [index === 0 ? 'edge' : `edge${index + 1}`, { firebreak_present: [{ ...flow, ...change }] }] as const,
    );
    const run = await runPlaybook(
      refused.map(() => firewall),
      { varsOf: Object.fromEntries(varsOf) },
    );
    for (const [index, [title, , code, sentence]] of refused.entries()) {
      const error = run.error(varsOf[index]?.[0]);
      expect(error?.code, title).to.equal(code);
      expect(error?.message, title).to.match(sentence);
    }
    expect(run.code).to.equal(2);
    expect(firewall.readConfig()).to.equal(before);
    expect(firewall.reloads()).to.equal(0);
  });

  it('a flow whose interface was disabled after its rule had been written', async () => {
    const guest = { ...flow, interface: 'opt2' };
    expect((await runPlaybook(firewall, { present: [guest] })).result().added).to.have.length(1);
    const before = firewall.readConfig();
    firewall.writeConfig(before.replace(/(\t\t<opt2>\n[^]*?)\t\t\t<enable><\/enable>\n/, '$1'));
    firewall.dropCache();
    expect((await runPlaybook(firewall, { present: [guest] })).error()?.code).to.equal('interface_disabled');
    firewall.writeConfig(before);
    firewall.dropCache();
  });

  it('one flow of a batch, and carries the others, each told by its tracker', async () => {
    const present = [flow, { ...flow, interface: 'opt3' }, { ...flow, interface: 'opt9' }];
    const strict = await runPlaybook(firewall, { present });
    expect(strict.code).to.equal(2);
    expect(strict.error()?.code).to.equal('interface_disabled');
    expect(strict.error()?.message)
      .to.include('203.0.113.7 -> 192.168.1.10 tcp/22 on opt3: interface opt3 is disabled')
      .and.include('interface opt9 does not exist');
    expect(strict.result().added, strict.text).to.have.length(1);
    const partial = await runPlaybook(firewall, { present, vars: { firebreak_partial: true } });
    expect(partial.code, partial.text).to.equal(0);
    expect(partial.result().present).to.deep.equal(strict.result().added);
    expect(partial.result().refused.map(({ code }) => code)).to.deep.equal(['interface_disabled', 'interface_unknown']);
  });
});

describe('the interface of a rule', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  before(async () => {
    firewall = await startFirewall();
    const vpns =
      '\t<openvpn><openvpn-server><vpnid>1</vpnid><tunnel_network>10.8.0.0/24</tunnel_network></openvpn-server></openvpn>\n' +
      '\t<l2tp><mode>server</mode></l2tp>\n\t<pppoes><pppoe><mode>server</mode></pppoe></pppoes>\n';
    const phase1 = '<ipsec><phase1><ikeid>1</ikeid></phase1></ipsec>';
    const nobody = '\t\t<ifgroupentry><members></members><ifname>Nobody</ifname></ifgroupentry>\n\t</ifgroups>';
    const text = firewall.readConfig().replace('<ipsec></ipsec>', phase1).replace('\t</ifgroups>', nobody);
    firewall.writeConfig(text.replace('</pfsense>', `${vpns}</pfsense>`));
    firewall.dropCache();
    const printed = 'em0: flags=8863<UP>\\n\\tinet 198.51.100.2 netmask 0xfffffff8\\n';
    writeFileSync(path.join(firewall.root, 'sbin/ifconfig'), `#!/bin/sh\nprintf '${printed}'\n`, { mode: 0o755 });
  });
  after(async () => {
    await firewall.stop();
  });

  it('may be a VPN, a group or an assigned interface that pfSense offers, and no other', async () => {
    const keys = { enc0: 'IPsec', openvpn: 'OpenVPN', l2tp: 'L2TP', pppoe: 'pppoe', Inside: 'Inside', opt1: 'DMZ' };
    const present = Object.keys(keys).map((key) => ({ ...flow, interface: key }));
    const run = await runPlaybook(firewall, { present });
    expect(run.code, run.text).to.equal(0);
    const { added, proof } = run.result();
    expect(proof.map(({ level }) => level)).to.deep.equal(added.map(() => 'decides'));
    for (const [index, macro] of Object.values(keys).entries()) {
      const rules = firewall.generatedRules().filter((line) => line.includes(` ridentifier ${added[index]} `));
      expect(rules).to.have.length(1);
      expect(rules[0]).to.match(new RegExp(`^block .* on \\$${macro} `));
    }
    const before = firewall.readConfig();
    firewall.writeConfig(before.replace('<mode>server</mode></l2tp>', '<mode>off</mode></l2tp>'));
    firewall.dropCache();
    const off = await runPlaybook(firewall, { present: [{ ...flow, interface: 'l2tp' }] });
    expect(off.error()).to.deep.include({ code: 'interface_unknown' });
    expect(off.error()?.message).to.include('enabled are: Inside, Nobody, enc0, lan, openvpn, opt1, opt2, pppoe, wan');
  });

  it('blocks what is behind a port forward, and is found again there until the forward changes', async () => {
    const present = [{ ...flow, destination: '198.51.100.2', port: '25' }];
    firewall.setStates([
      { source: flow.source, destination: '198.51.100.2', port: 25 },
      { source: flow.source, destination: '192.168.20.25', port: 25 },
    ]);
    const run = await runPlaybook(firewall, { present, args: ['--diff'] });
    const [tracker = 0] = run.result().added;
    expect(run.text).to.include(`198.51.100.2 tcp/25 on wan (tracker ${tracker}), forwarded to 192.168.20.25/25`);
    expect(run.result().followed).to.deep.equal([{ tracker, destination: '192.168.20.25', port: '25' }]);
    expect(run.result().proof).to.deep.equal([{ tracker, level: 'decides', message: '' }]);
    const rules = firewall.generatedRules().filter((line) => line.includes(` ridentifier ${tracker} `));
    expect(rules.join()).to.include(' from 203.0.113.7 to 192.168.20.25 port 25 ');
    expect(firewall.states()).to.deep.equal([]);
    const again = await runPlaybook(firewall, { present });
    expect(again.result()).to.deep.include({ present: [tracker], proven: true });

    const status = async (): Promise<object | undefined> => {
      const { standing } = (await runPlaybook(firewall, { playbook: 'status' })).stats() as {
        standing: { tracker: number }[];
      };
      return standing.find((each) => each.tracker === tracker);
    };
    const followed = { destination: '192.168.20.25', port: '25' };
    const asRequested = { destination: '198.51.100.2', port: '25', changed: false, proven: true };
    expect(await status()).to.deep.include({ ...asRequested, followed });

    const before = firewall.readConfig();
    firewall.writeConfig(before.replace('<target>192.168.20.25<', '<target>192.168.20.26<'));
    firewall.dropCache();
    expect(await status()).to.deep.include({ changed: true });
    expect((await runPlaybook(firewall, { present })).error()?.code).to.equal('changed_by_hand');
    const fixed = await runPlaybook(firewall, { present, vars: { firebreak_fix: true } });
    expect(fixed.result()).to.deep.include({ added: [tracker], proven: true });
    expect(fixed.result().followed[0]).to.include({ destination: '192.168.20.26' });
    const released = await runPlaybook(firewall, { absent: present });
    expect(released.result().removed).to.deep.equal([tracker]);
  });

  it('is told where the packets do not meet the rule, and so is what is behind each interface', async () => {
    const inside = { ...flow, source: '192.168.20.66' };
    const present = [inside, { ...inside, destination: '192.168.20.10' }, { ...flow, interface: 'Nobody' }];
    const run = await runPlaybook(firewall, { present });
    expect(run.code, run.text).to.equal(0);
    const { added, proof, networks } = run.result();
    const messages = [
      'the source enters by opt1 (192.168.20.0/24), not by wan',
      '192.168.20.66 and 192.168.20.10 are in the same network (opt1): their packets do not pass the firewall',
      'group Nobody has no members',
    ];
    const expected = messages.map((message, index) => ({ tracker: added[index], level: 'unreachable_path', message }));
    expect(proof).to.deep.equal(expected);
    expect(networks).to.deep.include.members([
      { interface: 'wan', network: '198.51.100.0/29' },
      { interface: 'lan', network: '10.77.0.0/16' },
      { interface: 'openvpn', network: '10.8.0.0/24' },
    ]);
    const again = await runPlaybook(firewall, { present });
    expect(again.result().proof).to.deep.equal(expected);

    const status = await runPlaybook(firewall, { playbook: 'status' });
    const { standing } = status.stats() as { standing: { tracker: number; proof?: string; proof_message?: string }[] };
    for (const { tracker, message } of expected) {
      const rule = standing.find((each) => each.tracker === tracker);
      expect(rule).to.deep.include({ proof: 'unreachable_path', proof_message: message });
    }
    expect(status.text).to.include('unreachable_path: block, 192.168.20.66 -> 192.168.1.10 tcp/22 on wan');
    expect(status.text).to.include(': the source enters by opt1 (192.168.20.0/24), not by wan');
  });
});
