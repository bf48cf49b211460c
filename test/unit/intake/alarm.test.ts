import { expect } from 'chai';
import { configSchema, type Config, type FirewallConfig } from '#firebreak/config/schema.js';
import { FirebreakError } from '#firebreak/core/errors.js';
import { findMismatch, findInterface, parseAlarm, type AlarmRequest } from '#firebreak/intake/alarm.js';
import { readBlockArguments } from '#firebreak/intake/argv.js';

const config: Config = configSchema.parse({
  firewalls: {
    edge: {
      host: '192.0.2.1',
      interfaces: { wan: ['0.0.0.0/0', '::/0'], lan: ['192.168.0.0/16'], opt1: ['192.168.20.0/24'] },
    },
    bare: { host: '192.0.2.2' },
  },
  defaults: { description: 'by default' },
});
const edge = config.firewalls['edge']!;
const bare = config.firewalls['bare']!;

const positions = { SOURCE: '203.0.113.7', DESTINATION: '192.168.1.10', PORT: '22' };

function findMessage(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FirebreakError) return error.message;
    throw error;
  }
  throw new Error('it was expected to be refused');
}

describe('readBlockArguments', () => {
  it('takes positions and options for the same words', () => {
    const byOption = readBlockArguments({ 'src-ip': '203.0.113.7', 'dst-ip': '192.168.1.10', 'dst-port': '22' });
    expect(byOption).to.deep.equal(readBlockArguments(positions));
  });

  it('joins the description’s words, or takes the option', () => {
    expect(readBlockArguments({ ...positions, DESCRIPTION: ['ssh', 'anomaly'] }).description).to.equal('ssh anomaly');
    expect(readBlockArguments({ ...positions, DESCRIPTION: [], description: 'scan' }).description).to.equal('scan');
    expect(readBlockArguments({ ...positions, DESCRIPTION: [] }).description).to.equal(undefined);
  });

  it('leaves out what the SIEM left empty, for OSSIM’s empty values vanish', () => {
    expect(readBlockArguments({ ...positions, risk: '', 'event-id': 'e-1' }).context).to.deep.equal({
      'event-id': 'e-1',
    });
  });

  it('refuses a missing word, a word said twice, and an option given twice', () => {
    expect(findMessage(() => readBlockArguments({ SOURCE: '203.0.113.7' }))).to.match(
      /^destination and port are missing: to block one flow of it, run firebreak block \S+ DESTINATION PORT$/,
    );
    expect(findMessage(() => readBlockArguments({ ...positions, 'dst-port': '23' }))).to.match(/^port is given twice/);
    expect(findMessage(() => readBlockArguments({ ...positions, protocol: ['tcp', 'udp'] }))).to.equal(
      '--protocol is given 2 times: give it once',
    );
  });
});

describe('readBlockArguments, where a position and its option', () => {
  const whole = { ...positions, INTERFACE: 'wan', TYPE: 'block', IPPROTO: 'inet', DESCRIPTION: ['ssh', 'anomaly'] };
  for (const [name, word, option] of [
    ['source', '203.0.113.7', 'src-ip'],
    ['destination', '192.168.1.10', 'dst-ip'],
    ['port', '22', 'dst-port'],
    ['interface', 'wan', 'interface'],
    ['type', 'block', 'type'],
    ['ipproto', 'inet', 'ipproto'],
    ['description', 'ssh anomaly', 'description'],
  ] as const) {
    it(`of the ${name} disagree, names both`, () => {
      expect(findMessage(() => readBlockArguments({ ...whole, [option]: 'other' }))).to.equal(
        `${name} is given twice: as an argument ("${word}") and as --${option} ("other"); give it once`,
      );
    });

    it(`of the ${name} agree, takes it`, () => {
      expect(readBlockArguments({ ...whole, [option]: word })[name]).to.equal(word);
    });
  }
});

describe('parseAlarm', () => {
  const words = (changes: Partial<AlarmRequest> = {}): AlarmRequest => ({
    ...readBlockArguments(positions),
    ...changes,
  });

  it('fills in from the configuration what was left out', () => {
    const alarm = parseAlarm(words(), config);
    expect(alarm.description).to.equal('by default');
    expect(alarm.flowOn(edge)).to.include({ type: 'block', protocol: 'tcp', interface: 'wan', ipprotocol: 'inet' });
  });

  it('cleans the description', () => {
    expect(parseAlarm(words({ description: '{{ x }} "scan"' }), config).description).to.equal('x scan');
  });

  it('says why a rule on the named interface would not match, and nothing where it does or nobody knows', () => {
    const flowOf = (name: string) =>
      parseAlarm(words({ source: '192.168.20.5', interface: name }), config).flowOn(edge);
    expect(findMismatch('edge', edge, flowOf('wan'))).to.equal(
      'edge: 192.168.20.5 enters through opt1 (firewalls.edge.interfaces): a rule on wan will not match it',
    );
    expect(['opt1', 'Inside'].map((name) => findMismatch('edge', edge, flowOf(name)))).to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it('takes the named interface on every firewall, else the one by which the source enters', () => {
    const inside = parseAlarm(words({ source: '192.168.20.5' }), config);
    expect([edge, bare].map((firewall: FirewallConfig) => inside.flowOn(firewall).interface)).to.deep.equal([
      'opt1',
      'wan',
    ]);
    const named = parseAlarm(words({ source: '192.168.20.5', interface: 'lan' }), config);
    expect(named.flowOn(edge).interface).to.equal('lan');
  });

  describe('an interface by its name in the GUI', () => {
    const interfaces = [
      ...[
        { key: 'wan', description: 'Fibre' },
        { key: 'lan', description: 'LAN' },
      ],
      ...[
        { key: 'opt1', description: 'Guest WiFi' },
        { key: 'opt2', description: 'fibre' },
        { key: 'Branches', description: '' },
      ],
    ];
    const keyOf = (name: string, isByHand = true, known = interfaces): string =>
      parseAlarm(words({ interface: name }), config).flowOn(bare, { name: 'bare', interfaces: known, isByHand })
        .interface;

    it('is its key, whatever the case', () => {
      expect(
        ['wan', 'WAN', 'Lan', 'guest wifi', 'Guest WiFi', 'branches', 'Branches'].map((name) => keyOf(name)),
      ).to.deep.equal(['wan', 'wan', 'lan', 'opt1', 'opt1', 'Branches', 'Branches']);
    });

    it('is only a key of every pfSense while the firewall has told nothing, else stays as it is', () => {
      expect(['WAN', 'Opt3', 'Branches', 'wen'].map((name) => keyOf(name, true, []))).to.deep.equal([
        'wan',
        'opt3',
        'Branches',
        'wen',
      ]);
      expect(findMessage(() => keyOf('Guest WiFi', false, []))).to.equal(
        'interface: expected a key such as wan, lan or opt1, got "Guest WiFi"',
      );
      const configured = parseAlarm(words({ interface: 'LAN' }), config).flowOn(edge);
      expect(configured.interface).to.equal('lan');
    });

    it('is refused by hand where it is unknown or ambiguous, and kept from a sensor', () => {
      expect(findMessage(() => keyOf('wen'))).to.equal(
        'interface: expected one of wan (Fibre), lan (LAN), opt1 (Guest WiFi), opt2 (fibre), Branches, the interfaces of bare (firebreak reconcile reads them again), got "wen"',
      );
      expect(findMessage(() => keyOf('opt9'))).to.match(/^interface: expected one of wan/);
      expect(findMessage(() => keyOf('FIBRE'))).to.equal('interface: "FIBRE" is wan and opt2 on bare: give the key');
      expect(['wen', 'FIBRE', 'opt9'].map((name) => keyOf(name, false))).to.deep.equal(['wen', 'FIBRE', 'opt9']);
    });

    it('is refused where it is no name at all', () => {
      for (const name of ['', '-x', 'a;b', 'x'.repeat(65), 'SRC_IP']) {
        expect(findMessage(() => parseAlarm(words({ interface: name }), config))).to.match(/^interface: /);
      }
    });
  });

  it('tells the problems of flow, ids and description at once', () => {
    const bad = words({ port: '0', context: { risk: 'RISK', sensor: 'a b' }, description: 'USERDATA1' });
    expect(
      findMessage(() => parseAlarm(bad, config))
        .split('\n')
        .map((line) => line.split(':')[0]),
    ).to.deep.equal(['port', 'risk', 'sensor', 'description']);
  });
});

describe('findInterface', () => {
  it('lets the longest prefix win, and finds none where none holds the source', () => {
    expect(
      ['192.168.20.5', '192.168.21.5', '203.0.113.7', '2001:db8::7'].map((source) => findInterface(edge, source)),
    ).to.deep.equal(['opt1', 'lan', 'wan', 'wan']);
    expect(findInterface(bare, '203.0.113.7')).to.equal(undefined);
  });

  it('goes by what the firewall reported where the configuration names no interface', () => {
    const learned = [
      { interface: 'lan', network: '10.0.0.0/8' },
      { interface: 'opt1', network: '10.77.0.0/16' },
      { interface: 'opt2', network: '2001:db8:7::/64' },
      { interface: 'opt3', network: 'not a network' },
    ];
    const sources = ['10.1.2.3', '10.77.2.3', '2001:db8:7::9', '203.0.113.7'];
    expect(sources.map((source) => findInterface(bare, source, learned))).to.deep.equal([
      'lan',
      'opt1',
      'opt2',
      undefined,
    ]);
    expect(sources.map((source) => findInterface(edge, source, learned))).to.deep.equal(['wan', 'wan', 'wan', 'wan']);
    const known = { name: 'bare', interfaces: [], networks: learned, isByHand: false };
    const inside = { ...positions, SOURCE: '10.77.2.3' };
    const alarm = parseAlarm(readBlockArguments(inside), config);
    expect(alarm.flowOn(bare, known).interface).to.equal('opt1');
    expect(alarm.flowOn(bare).interface).to.equal('wan');
    const named = parseAlarm(readBlockArguments({ ...inside, INTERFACE: 'lan' }), config);
    expect(named.flowOn(bare, known).interface).to.equal('lan');
  });
});
