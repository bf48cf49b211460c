import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { presetNames } from '#firebreak/config/schema/serve-keys.js';
import { meets, parseCondition } from '#firebreak/core/condition.js';
import { mappedFields } from '#firebreak/config/schema/serve-keys.js';
import { parseAlarm } from '#firebreak/intake/alarm.js';
import { alarmFields } from '#firebreak/intake/fields.js';
import { jsonNameOf, readAlarms } from '#firebreak/intake/http-alarms.js';
import { readPath } from '#firebreak/intake/http-path.js';
import { mappingOf, type Mapping } from '#firebreak/intake/http-presets.js';
import { aConfig } from '../../fixtures.js';
import { packageRoot } from '../../lab/package-root.js';

const sample = (name: string): unknown =>
  JSON.parse(readFileSync(path.join(packageRoot, `test/samples/http/${name}.json`), 'utf8'));

const source = (settings: object) => aConfig({ serve: { sources: { own: settings } } }).serve.sources['own']!;

const mapping = (settings: object): Mapping | undefined => mappingOf(source(settings));

const usual = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', protocol: 'tcp' };

describe('the documents of a sender', () => {
  const expected: Record<string, object> = {
    generic: { ...usual, description: 'too many logins', context: { 'event-id': 'g-1' } },
    wazuh: {
      ...{ ...usual, port: '443', protocol: undefined, description: 'web scan of many paths' },
      context: { 'event-id': '1767261600.4711', 'plugin-sid': '31151', sensor: 'web01' },
    },
    'wazuh-suricata': { ...usual, description: 'IDS event' },
    'wazuh-login': { ...usual, port: '', protocol: 'any', description: 'many failed logins' },
    graylog: {
      ...usual,
      description: 'many denied connections',
      context: { 'event-id': '01GRAY', sensor: 'graylog01' },
    },
    elastic: { ...usual, context: { 'event-id': 'k-1' } },
    elastalert: { ...usual, description: 'port scan', context: { 'event-id': 'e-1' } },
    securityonion: { ...usual, description: 'scan of ssh', context: { sensor: 'so-sensor' } },
    splunk: { ...usual, description: 'many failed logins' },
    suricata: {
      ...usual,
      description: 'LOCAL ssh scan',
      context: { 'event-id': '1234567890123456', 'plugin-sid': '1000001' },
    },
    alertmanager: { ...usual, protocol: undefined, description: 'many failed logins', context: { 'event-id': 'a1b2' } },
  };

  for (const [name, fields] of Object.entries(expected)) {
    it(`of ${name} are alarms that can be blocked`, () => {
      const preset = name.split('-')[0];
      const { requests, problems } = readAlarms(sample(name), mapping({ preset }));
      expect({ problems, count: requests.length }).to.deep.equal({ problems: [], count: 1 });
      expect(requests[0]).to.deep.include(fields);
      expect(() => parseAlarm(requests[0]!, aConfig())).not.to.throw();
    });
  }

  it('have a sample for each preset', () => {
    expect(presetNames.filter((name) => expected[name] === undefined)).to.deep.equal(['thehive']);
  });

  it('of TheHive need a destination from the configuration', () => {
    const own = mapping({ preset: 'thehive', fields: { dst_ip: { value: '192.168.1.10' } } });
    expect(readAlarms(sample('thehive'), own).requests[0]).to.deep.include({ ...usual, port: '', protocol: 'any' });
    const domain = { data: { dataType: 'domain', data: 'example.org' } };
    expect(readAlarms(domain, own)).to.deep.equal({ requests: [], skipped: 1, problems: [] });
  });

  it('that do not meet a condition are skipped', () => {
    const own = mapping({ preset: 'wazuh', when: ['rule.level >= 10'] });
    const read = readAlarms([sample('wazuh'), sample('wazuh-suricata')], own);
    expect([read.requests.length, read.skipped]).to.deep.equal([1, 1]);
    expect(readAlarms(sample('alertmanager'), mapping({ preset: 'alertmanager' })).skipped).to.equal(1);
  });

  it('of a sender of your own are read by paths, lists of paths and constants', () => {
    const own = mapping({ fields: { src_ip: 'who.0.addr', dst_ip: ['none', 'to'], dst_port: [{ value: 443 }] } });
    const { requests } = readAlarms({ who: [{ addr: '203.0.113.7' }], to: '192.168.1.10' }, own);
    expect(requests[0]).to.deep.include({ source: '203.0.113.7', destination: '192.168.1.10', port: '443' });
  });

  it('lose no alarm for an id of any form', () => {
    const odd = { ...(sample('suricata') as object), flow_id: 'a b/c"d', host: 'x'.repeat(100) };
    const { context } = readAlarms(odd, mapping({ preset: 'suricata' })).requests[0]!;
    expect(context).to.deep.include({ 'event-id': 'a_b_c_d', sensor: 'x'.repeat(64) });
  });

  it('report every problem with its path', () => {
    const { problems } = readAlarms([{ src_ip: {}, x: 1 }, null, 'a'], undefined);
    expect(problems.map((each) => each.path)).to.deep.equal(['0.src_ip', '0.x', '1', '2']);
    expect(readAlarms([], undefined).problems).to.have.length(1);
  });

  it('can give every field of an alarm', () => {
    expect(mappedFields).to.have.members(alarmFields.map(jsonNameOf));
  });
});

describe('a path in a document', () => {
  const document = {
    a: { b: [{ c: 1 }], 'd.e': 'x' },
    'f.g': 'y',
    h: ['z'],
    i: [1, 2],
    j: '',
    ['__proto__']: { k: 1 },
  };

  for (const [text, value] of [
    ['a.b.0.c', '1'],
    ['a.d.e', 'x'],
    ['f.g', 'y'],
    ['h', 'z'],
    ['i', undefined],
    ['i.1', '2'],
    ['j', undefined],
    ['a', undefined],
    ['constructor.name', undefined],
    ['toString', undefined],
  ] as const) {
    it(`${text} is ${value ?? 'missing'}`, () => expect(readPath(document, text)).to.equal(value));
  }
});

describe('a condition', () => {
  for (const [text, found, is] of [
    ['level >= 10', '9', false],
    ['level >= 10', '10', true],
    ['level > 10', 'high', false],
    ['name == "a b"', 'a b', true],
    ['name != x', undefined, true],
    ['name == 1', '1.0', true],
    ['name', undefined, false],
    ['name', 'false', true],
  ] as const) {
    it(`${text} is ${is ? 'met' : 'not met'} by ${found ?? 'nothing'}`, () => {
      expect(meets(found, parseCondition(text)!)).to.equal(is);
    });
  }

  it('has a path, an operator and a value', () => {
    expect(
      ['a b', '>= 1', 'a >=', 'a..b > 1', 'a ~ b', ''].filter((text) => parseCondition(text) !== undefined),
    ).to.deep.equal([]);
  });
});
