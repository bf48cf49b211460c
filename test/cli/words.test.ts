import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

/** Title, the arguments of `block`, and the expected error, one entry per line. */
const badWords: readonly (readonly [string, readonly string[], readonly (string | RegExp)[]])[] = [
  ['no words at all', [], [/^source, destination and port are missing: firebreak block SOURCE DESTINATION PORT /]],
  [
    'one word',
    ['203.0.113.7'],
    [/^destination and port are missing: to block one flow of it, run firebreak block 203.0.113.7 /],
  ],
  ['two words', ['203.0.113.7', '192.168.1.10'], [/^port is missing: firebreak block SOURCE DESTINATION PORT /]],
  [
    'literal keywords of OSSIM',
    ['SRC_IP', 'DST_IP', 'DST_PORT'],
    [
      "source: got the literal word SRC_IP: the SIEM did not fill it in (check the policy's command)",
      "destination: got the literal word DST_IP: the SIEM did not fill it in (check the policy's command)",
      "port: got the literal word DST_PORT: the SIEM did not fill it in (check the policy's command)",
    ],
  ],
  [
    'a literal keyword among the options',
    ['203.0.113.7', '192.168.1.10', '22', '--risk=RISK', '--event-id=EVENT_ID', '--description=USERDATA1'],
    [/^event-id: got the literal word EVENT_ID/, /^risk: got the literal word RISK/, /^description: got the literal/],
  ],
  [
    'no address, as OSSIM says it',
    ['0.0.0.0', '::', '22'],
    [
      'source: 0.0.0.0 is not a host address (OSSIM sends it when it has none)',
      'destination: :: is not a host address (OSSIM sends it when it has none)',
    ],
  ],
  [
    'port 0',
    ['203.0.113.7', '192.168.1.10', '0'],
    [/^port: 0 is OSSIM's value for "no port": .* --protocol any for all$/],
  ],
  ['port 70000', ['203.0.113.7', '192.168.1.10', '70000'], ['port: expected 1-65535, got "70000"']],
  ['a port with a command', ['203.0.113.7', '192.168.1.10', '22;id'], ['port: expected 1-65535, got "22;id"']],
  ['a port with a leading zero', ['203.0.113.7', '192.168.1.10', '022'], ['port: expected 1-65535, got "022"']],
  [
    'a word as a port',
    ['203.0.113.7', '192.168.1.10', 'shh'],
    ['port: expected 1-65535 or a service such as ssh, got "shh"'],
  ],
  [
    'an empty port',
    ['203.0.113.7', '192.168.1.10', '--dst-port='],
    ['port: none is given: a tcp block needs a port; use --protocol any for all'],
  ],
  [
    'leading zeros',
    ['010.0.0.1', '192.168.001.010', '22'],
    [
      'source: leading zeros are ambiguous (octal?): got "010.0.0.1"',
      'destination: leading zeros are ambiguous (octal?): got "192.168.001.010"',
    ],
  ],
  [
    'a host name',
    ['evil.example', '192.168.1.10', '22'],
    ['source: expected an IP address, got the name "evil.example": a firewall rule needs the address itself'],
  ],
  ['a number', ['3405803783', '192.168.1.10', '22'], ['source: expected an IPv4 or IPv6 address, got "3405803783"']],
  [
    'an octet too large',
    ['203.0.113.777', '192.168.1.10', '22'],
    [/^source: expected an IPv4 or IPv6 address, got "203/],
  ],
  ['a space around it', [' 203.0.113.7', '192.168.1.10', '22'], [/^source: expected an IPv4 or IPv6 .* got " 203/]],
  [
    'a zone',
    ['fe80::1%eth0', '2001:db8::1', '22'],
    [/^source: expected an address without a zone, got "fe80::1%eth0"/],
  ],
  [
    'a network wider than allowed',
    ['203.0.113.0/24', '192.168.1.10', '22'],
    ['source: 203.0.113.0/24 is wider than policy.widest allows (/32 for inet; in an alarm, single hosts only)'],
  ],
  ['everything', ['0.0.0.0/0', '192.168.1.10', '22'], [/^source: 0\.0\.0\.0\/0 is wider than policy\.widest allows/]],
  [
    'a network with host bits',
    ['203.0.113.7/24', '192.168.1.10', '22'],
    ['source: 203.0.113.7/24 has host bits set: give 203.0.113.7 for the host or 203.0.113.0/24'],
  ],
  [
    'a pair of two families',
    ['203.0.113.7', '2001:db8:1::10', '22'],
    ['203.0.113.7 and 2001:db8:1::10 are of different families: no packet flows between IPv4 and IPv6'],
  ],
  [
    'inet6 with IPv4 addresses',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', 'block', 'inet6'],
    ['ipproto: the addresses are inet, got "inet6": pfSense would not load the rule'],
  ],
  [
    'inet46',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', 'block', 'inet46'],
    ['ipproto: expected inet or inet6, got "inet46"'],
  ],
  [
    'Block with a capital',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', 'Block'],
    ['type: expected "block" in lower case, got "Block": pfSense would make it a pass rule'],
  ],
  ['pass', ['203.0.113.7', '192.168.1.10', '22', 'wan', 'pass'], ['type: expected block or reject, got "pass"']],
  [
    'an interface that is no key',
    ['203.0.113.7', '192.168.1.10', '22', 'wan;reboot'],
    ['interface: expected the firewall\'s own key, such as wan, lan or opt1, got "wan;reboot"'],
  ],
  [
    'a protocol of its own',
    ['203.0.113.7', '192.168.1.10', '22', '--protocol', 'gre'],
    ['protocol: expected one of tcp, udp, tcp/udp, icmp, any, got "gre"'],
  ],
  ['icmp with a port', ['203.0.113.7', '192.168.1.10', '22', '--protocol=icmp'], [/^port: icmp has no ports/]],
  ['a duration', ['203.0.113.7', '192.168.1.10', '22', '--for', 'a while'], [/^for: .*got "a while"$/]],
  [
    'an id that is no id',
    ['203.0.113.7', '192.168.1.10', '22', '--event-id', '$(id)'],
    ['event-id: expected at most 64 letters, digits, ".", ":", "_" or "-", got "$(id)"'],
  ],
  [
    'a source said twice',
    ['203.0.113.7', '192.168.1.10', '22', '--src-ip=203.0.113.8'],
    [/^source is given twice: as an argument \("203\.0\.113\.7"\) and as --src-ip \("203\.0\.113\.8"\); give it once$/],
  ],
  [
    'a description said twice',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', 'block', 'inet', 'ssh', 'anomaly', '--description=scan'],
    ['description is given twice: as an argument ("ssh anomaly") and as --description ("scan"); give it once'],
  ],
  [
    'an interface said twice',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', '--interface=lan'],
    ['interface is given twice: as an argument ("wan") and as --interface ("lan"); give it once'],
  ],
  [
    'a type said twice',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', 'block', '--type', 'reject'],
    ['type is given twice: as an argument ("block") and as --type ("reject"); give it once'],
  ],
  [
    'an ipproto said twice',
    ['203.0.113.7', '192.168.1.10', '22', 'wan', 'block', 'inet', '--ipproto', 'inet6'],
    ['ipproto is given twice: as an argument ("inet") and as --ipproto ("inet6"); give it once'],
  ],
  [
    'an option given twice',
    ['203.0.113.7', '192.168.1.10', '22', '--protocol=tcp', '--protocol=udp'],
    ['--protocol is given 2 times: give it once'],
  ],
  [
    'an unknown option',
    ['203.0.113.7', '192.168.1.10', '22', '--forever'],
    ['Unknown argument: forever; see firebreak --help'],
  ],
  [
    'an option without its value',
    ['203.0.113.7', '192.168.1.10', '--dst-port'],
    ['Not enough arguments following: dst-port; see firebreak --help'],
  ],
];

describe('firebreak block refuses', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;
  let config: string;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    config = edge.readConfig();
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  afterEach(() => {
    expect(edge.readConfig()).to.equal(config);
    expect(edge.reloads()).to.equal(0);
    expect(launcher.runs()).to.deep.equal([]);
  });

  for (const [title, words, told] of badWords) {
    it(`${title}, with exit 2 and one sentence per problem`, async () => {
      const { exit, answer } = await launcher.jsonError(['block', ...words]);
      expect(exit).to.equal(2);
      expect(Object.keys(answer)).to.deep.equal(['error']);
      const { code, message } = answer.error;
      expect(answer.error.exit).to.equal(2);
      expect(code).to.be.oneOf(['usage', 'alarm_invalid']);
      const lines = message.split('\n');
      expect(lines, message).to.have.length(told.length);
      for (const [index, expected] of told.entries()) {
        if (typeof expected === 'string') expect(lines[index]).to.equal(expected);
        else expect(lines[index]).to.match(expected);
      }
    });
  }

  it('with the same sentences on stderr and nothing on stdout without --json', async () => {
    const { exit, stdout, stderr } = await launcher.firebreak(['block', '010.0.0.1', '192.168.1.10', '22;id']);
    expect({ exit, stdout }).to.deep.equal({ exit: 2, stdout: '' });
    expect(stderr).to.equal(
      'firebreak: source: leading zeros are ambiguous (octal?): got "010.0.0.1"\n' +
        'firebreak: port: expected 1-65535, got "22;id"\n',
    );
  });

  it('an unknown or missing command, with a hint', async () => {
    for (const words of [['blok', '203.0.113.7'], []]) {
      const { exit, stdout, stderr } = await launcher.firebreak(words);
      expect({ exit, stdout }).to.deep.equal({ exit: 2, stdout: '' });
      expect(stderr).to.match(/^firebreak: .*firebreak --help\n$/);
    }
  });
});

describe('firebreak block refuses by policy', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher(
      { edge: settingsOf(edge) },
      { policy: { never_block: ['198.51.100.0/29', '2001:db8:1::/64'] } },
    );
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['loopback', ['127.0.0.1', '192.168.1.10', '22'], /127\.0\.0\.1 is loopback/],
    [
      'a protected network',
      ['198.51.100.3', '192.168.1.10', '22'],
      /198\.51\.100\.3 is protected by policy\.never_block/,
    ],
    ['a protected destination', ['203.0.113.7', '198.51.100.3', '22'], /198\.51\.100\.3 is protected/],
    ['multicast', ['224.0.0.5', '192.168.1.10', '22'], /224\.0\.0\.5 is multicast/],
  ];
  for (const [title, words, reason] of refused) {
    it(`${title}, with exit 3 and the reason, and changes nothing`, async () => {
      const config = edge.readConfig();
      const { exit, answer } = await launcher.json(['block', ...words]);
      expect(exit).to.equal(3);
      expect(answer).to.deep.include({ state: 'refused', exit: 3, run: null });
      expect(answer.blocks[0]?.reason).to.match(reason);
      expect(answer.blocks[0]).to.include({ state: 'refused', changed: false });
      expect(edge.readConfig()).to.equal(config);
      expect(edge.reloads()).to.equal(0);
    });
  }
});
