import { expect } from 'chai';
import { askPaths, type PathsAnswer, type PathsQuestion } from '../../lab/pfsense-paths.js';

const office = `
  <interfaces>
    <wan><enable></enable><if>em0</if><ipaddr>198.51.100.2</ipaddr><subnet>29</subnet></wan>
    <lan><enable></enable><if>em1</if><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet>
      <ipaddrv6>2001:db8:1::1</ipaddrv6><subnetv6>64</subnetv6></lan>
    <opt1><enable></enable><if>em2</if><ipaddr>192.168.50.1</ipaddr><subnet>24</subnet></opt1>
    <opt2><if>em3</if><ipaddr>192.168.60.1</ipaddr><subnet>24</subnet></opt2>
  </interfaces>
  <gateways><gateway_item><interface>lan</interface><gateway>192.168.1.254</gateway><name>DEPOT</name></gateway_item></gateways>
  <staticroutes><route><network>10.77.0.0/16</network><gateway>DEPOT</gateway></route></staticroutes>
  <ifgroups>
    <ifgroupentry><members>lan opt1</members><ifname>Inside</ifname></ifgroupentry>
    <ifgroupentry><members></members><ifname>Nobody</ifname></ifgroupentry>
    <ifgroupentry><members></members><ifname>WireGuard</ifname></ifgroupentry>
  </ifgroups>`;

const ifconfig = [
  'em0: flags=8863<UP,BROADCAST,RUNNING> metric 0 mtu 1500',
  '\tinet6 fe80::1%em0 prefixlen 64 scopeid 0x1',
  '\tinet 198.51.100.2 netmask 0xfffffff8 broadcast 198.51.100.7',
  'tun_wg0: flags=80c1<UP,RUNNING,NOARP,MULTICAST> metric 0 mtu 1420',
  '\tinet 10.9.0.1 netmask 0xffffff00',
  '\tgroups: wg WireGuard',
].join('\n');

describe('the interfaces that pfSense offers for a rule', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'enabled interfaces and groups, with members or without',
      office,
      ['Inside', 'Nobody', 'WireGuard', 'lan', 'opt1', 'wan'],
    ],
    ['enc0 with an IPsec phase 1', '<ipsec><phase1><ikeid>1</ikeid></phase1></ipsec>', ['enc0']],
    ['no enc0 if the only phase 1 is disabled', '<ipsec><phase1><disabled></disabled></phase1></ipsec>', []],
    ['no enc0 without a phase 1', '<ipsec></ipsec>', []],
    [
      'openvpn with a server, a disabled one too',
      '<openvpn><openvpn-server><disable></disable></openvpn-server></openvpn>',
      ['openvpn'],
    ],
    ['openvpn with a client', '<openvpn><openvpn-client><vpnid>1</vpnid></openvpn-client></openvpn>', ['openvpn']],
    ['l2tp with its server', '<l2tp><mode>server</mode></l2tp>', ['l2tp']],
    ['no l2tp without', '<l2tp><mode>off</mode></l2tp>', []],
    ['pppoe with its server', '<pppoes><pppoe><mode>server</mode></pppoe></pppoes>', ['pppoe']],
    ['no pppoe without', '<pppoes><pppoe><mode>off</mode></pppoe></pppoes>', []],
    ['an assigned VPN', '<interfaces><opt5><if>tun_wg0</if><enable></enable></opt5></interfaces>', ['opt5']],
  ];
  let answers: PathsAnswer[];
  before(() => {
    answers = askPaths(cases.map(([, config]) => ({ config })));
  });
  for (const [index, [title, , keys]] of cases.entries()) {
    it(title, () => {
      expect(answers[index]?.keys).to.have.members([...keys]);
    });
  }
});

describe('the networks behind the interfaces', () => {
  it('are those of the configuration, of static routes and of VPNs', () => {
    const vpns = `<openvpn>
      <openvpn-server><vpnid>1</vpnid><tunnel_network>10.8.0.0/24</tunnel_network>
        <remote_network>10.20.0.0/16, 10.30.0.0/16</remote_network></openvpn-server>
      <openvpn-server><disable></disable><tunnel_network>10.88.0.0/24</tunnel_network></openvpn-server></openvpn>
      <ipsec><phase1><ikeid>1</ikeid></phase1>
        <phase2><mode>tunnel</mode><remoteid><type>network</type><address>172.20.0.0</address><netbits>16</netbits></remoteid></phase2>
        <phase2><mode>vti</mode><remoteid><type>network</type><address>172.21.0.0</address><netbits>30</netbits></remoteid></phase2></ipsec>`;
    expect(askPaths([{ config: office + vpns }])[0]?.networks).to.have.members([
      'wan 198.51.100.0/29',
      'lan 192.168.1.0/24',
      'lan 2001:db8:1::/64',
      'lan 10.77.0.0/16',
      'opt1 192.168.50.0/24',
      'openvpn 10.8.0.0/24',
      'openvpn 10.20.0.0/16',
      'openvpn 10.30.0.0/16',
      'enc0 172.20.0.0/16',
    ]);
  });

  it('are those that ifconfig shows where the configuration says dhcp', () => {
    const config = '<interfaces><wan><enable></enable><if>em0</if><ipaddr>dhcp</ipaddr></wan></interfaces>';
    const dotted = 'em0: flags=1<UP>\n\tinet 192.0.2.9 netmask 255.255.255.128 broadcast 192.0.2.127';
    const toPeer = 'em0: flags=1<UP>\n\tinet 10.0.0.1 --> 10.0.0.2 netmask 0xffffffff';
    const answers = askPaths([ifconfig, dotted, toPeer].map((each) => ({ config, ifconfig: each })));
    expect(answers.map(({ networks }) => networks)).to.deep.equal([['wan 198.51.100.0/29'], ['wan 192.0.2.0/25'], []]);
    expect(answers[0]?.addresses).to.deep.equal(['10.9.0.1', '198.51.100.2']);
  });
});

describe('the way of a packet', () => {
  const sameNetwork = (source: string, destination: string, key: string): string =>
    `${source} and ${destination} are in the same network (${key}): their packets do not pass the firewall`;
  const vpn = '<openvpn><openvpn-server><tunnel_network>10.8.0.0/24</tunnel_network></openvpn-server></openvpn>';
  const assigned = `${vpn}<interfaces><opt5><enable></enable><if>ovpns1</if></opt5>
    <opt6><enable></enable><if>tun_wg0</if></opt6></interfaces><ifgroups><ifgroupentry><ifname>WireGuard</ifname></ifgroupentry></ifgroups>`;
  const bridge = `<interfaces>
      <lan><enable></enable><if>em1</if></lan><opt1><enable></enable><if>em2</if></opt1>
      <opt4><enable></enable><if>bridge0</if><ipaddr>192.168.7.1</ipaddr><subnet>24</subnet></opt4></interfaces>
    <bridges><bridged><members>lan,opt1</members><bridgeif>bridge0</bridgeif></bridged></bridges>`;
  const vips = `${office}<virtualip><vip><mode>carp</mode><interface>lan</interface><subnet>192.168.1.2</subnet><subnet_bits>24</subnet_bits></vip>
    <vip><mode>proxyarp</mode><interface>wan</interface><subnet>198.51.100.4</subnet><subnet_bits>31</subnet_bits></vip></virtualip>`;

  const cases: readonly (readonly [string, Omit<PathsQuestion, 'flows'>, string, string | null])[] = [
    ['a source that nothing is known of', { config: office }, '203.0.113.7 192.168.1.10 wan', null],
    ['a source of the interface', { config: office }, '192.168.50.66 192.168.1.10 opt1', null],
    ['a source of the interface, by its group', { config: office }, '192.168.50.66 192.168.1.10 Inside', null],
    [
      'a source of another interface',
      { config: office },
      '192.168.50.66 192.168.1.10 wan',
      'the source enters by opt1 (192.168.50.0/24), not by wan',
    ],
    [
      'a source of another interface, IPv6',
      { config: office },
      '2001:db8:1::66 2001:db8:2::10 wan',
      'the source enters by lan (2001:db8:1::/64), not by wan',
    ],
    [
      'a source outside the group',
      { config: office },
      '198.51.100.5 192.168.1.10 Inside',
      'the source enters by wan (198.51.100.0/29), not by Inside',
    ],
    [
      'a source behind a static route',
      { config: office },
      '10.77.3.3 192.168.50.9 wan',
      'the source enters by lan (10.77.0.0/16), not by wan',
    ],
    ['a source of a disabled interface', { config: office }, '192.168.60.7 192.168.1.10 wan', null],
    ['a network wider than any interface', { config: office }, '192.168.0.0/16 192.168.1.10 wan', null],
    [
      'two hosts of one network',
      { config: office },
      '192.168.50.66 192.168.50.10 wan',
      sameNetwork('192.168.50.66', '192.168.50.10', 'opt1'),
    ],
    [
      'two hosts of one network, on the right interface',
      { config: office },
      '192.168.50.66 192.168.50.10 opt1',
      sameNetwork('192.168.50.66', '192.168.50.10', 'opt1'),
    ],
    ['two hosts behind one static route', { config: office }, '10.77.3.3 10.77.4.4 lan', null],
    ['the firewall as destination', { config: office }, '192.168.50.66 192.168.50.1 opt1', null],
    ['a virtual address as destination', { config: vips }, '192.168.1.66 192.168.1.2 lan', null],
    ['an address that the firewall answers ARP for', { config: vips }, '198.51.100.6 198.51.100.5 wan', null],
    ['a group whose members are unknown', { config: office }, '203.0.113.7 192.168.1.10 Nobody', null],
    [
      'a group without members',
      { config: office, ifconfig },
      '203.0.113.7 192.168.1.10 Nobody',
      'group Nobody has no members',
    ],
    [
      "a package's group, whose members only the system knows",
      { config: office, ifconfig },
      '203.0.113.7 192.168.1.10 WireGuard',
      null,
    ],
    ['an OpenVPN client by its class', { config: vpn }, '10.8.0.6 192.168.1.10 openvpn', null],
    [
      'an OpenVPN client by wan',
      { config: vpn },
      '10.8.0.6 192.168.1.10 wan',
      'the source enters by openvpn (10.8.0.0/24), not by wan',
    ],
    ['an OpenVPN client by the assigned interface', { config: assigned, ifconfig }, '10.8.0.6 192.168.1.10 opt5', null],
    ['two OpenVPN clients', { config: vpn }, '10.8.0.6 10.8.0.10 openvpn', null],
    ['a WireGuard peer by its class', { config: assigned, ifconfig }, '10.9.0.6 192.168.1.10 WireGuard', null],
    [
      'a WireGuard peer by another VPN',
      { config: assigned, ifconfig },
      '10.9.0.6 192.168.1.10 openvpn',
      'the source enters by opt6 (10.9.0.0/24), not by openvpn',
    ],
    [
      'a client of the PPPoE server, whose addresses may be those of the LAN',
      { config: `${office}<pppoes><pppoe><mode>server</mode></pppoe></pppoes>` },
      '192.168.1.201 198.51.100.9 pppoe',
      null,
    ],
    ['two hosts on a bridge', { config: bridge }, '192.168.7.66 192.168.7.10 lan', null],
    [
      'a rule on a bridge itself',
      { config: bridge },
      '192.168.7.66 203.0.113.9 opt4',
      'opt4 is a bridge, whose packets pfSense filters on its members (lan, opt1)',
    ],
    [
      'a rule on a bridge that filters by itself',
      {
        config: `${bridge}<sysctl><item><tunable>net.link.bridge.pfil_bridge</tunable><value>1</value></item></sysctl>`,
      },
      '192.168.7.66 203.0.113.9 opt4',
      null,
    ],
    ['a rule that was changed by hand', { config: office }, 'Listed 192.168.1.10 wan', null],
  ];
  let answers: PathsAnswer[];
  before(() => {
    answers = askPaths(cases.map(([, question, flow]) => ({ ...question, flows: [flow] })));
  });
  for (const [index, [title, , , problem]] of cases.entries()) {
    it(title, () => {
      expect(answers[index]?.problems).to.deep.equal([problem]);
    });
  }
});
