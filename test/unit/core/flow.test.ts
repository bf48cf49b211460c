import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { cleanDescription } from '#firebreak/core/description.js';
import { parseFlow, protocols, types, type Flow, type FlowRequest } from '#firebreak/core/flow.js';
import { computeTracker, trackerBand } from '#firebreak/core/tracker.js';
import { findPackageRoot } from '#firebreak/config/package-root.js';
import { findPython } from '../../lab/stand-ins.js';

const widest = { inet: 8, inet6: 16 };
const request: FlowRequest = {
  source: '203.0.113.7',
  destination: '192.168.1.10',
  port: '22',
  interface: 'wan',
  type: 'block',
  ipproto: undefined,
  protocol: 'tcp',
};

function parse(changes: Partial<FlowRequest>): Flow {
  const parsed = parseFlow({ ...request, ...changes }, widest);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.flow;
}

function findProblems(changes: Partial<FlowRequest>, bounds = widest): string[] {
  const parsed = parseFlow({ ...request, ...changes }, bounds);
  return parsed.ok ? [] : parsed.problems.map(({ path: where, message }) => `${where}: ${message}`);
}

describe('parseFlow', () => {
  it('gives the canonical flow', () => {
    expect(parse({ protocol: 'TCP' })).to.deep.equal({
      type: 'block',
      interface: 'wan',
      ipprotocol: 'inet',
      protocol: 'tcp',
      source: '203.0.113.7',
      destination: '192.168.1.10',
      port: '22',
    });
  });

  it('takes the family from the addresses', () => {
    expect(parse({ source: '2001:db8::7', destination: '2001:db8:1::10' }).ipprotocol).to.equal('inet6');
  });

  it('knows the port of a service by its name', () => {
    expect(parse({ port: 'ssh' }).port).to.equal('22');
    expect(parse({ port: 'HTTPS' }).port).to.equal('443');
    expect(findProblems({ port: 'toString' })).to.deep.equal([
      'port: expected 1-65535 or a service such as ssh, got "toString"',
    ]);
  });

  it('has no port where the protocol has none', () => {
    for (const protocol of ['icmp', 'any']) {
      expect(parse({ protocol, port: '0' }).port).to.equal('');
      expect(parse({ protocol, port: '' }).port).to.equal('');
      expect(findProblems({ protocol, port: '22' })).to.have.length(1);
    }
  });

  it('tells all problems at once', () => {
    const problems = findProblems({ source: 'SRC_IP', port: '0', type: 'Pass', interface: '', protocol: 'x' });
    expect(problems.map((problem) => problem.split(':')[0])).to.deep.equal(['source', 'type', 'protocol', 'interface']);
  });

  it('lets a network be no wider than the policy says', () => {
    expect(parse({ source: '203.0.113.0/24' }).source).to.equal('203.0.113.0/24');
    expect(findProblems({ source: '203.0.113.0/24' }, { inet: 25, inet6: 128 })).to.have.length(1);
    expect(findProblems({ source: '0.0.0.0/0' }, { inet: 8, inet6: 128 })).to.have.length(1);
  });

  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '22',
      '0',
      'wan',
      'block',
      'tcp',
      'SRC_IP',
      '{{ 7*7 }}',
      '203.0.113.7',
      '::1',
      '</rule>',
      "'; id #",
    ),
  );
  const anyRequest = fc.record({
    source: fc.oneof(fc.ipV4(), fc.ipV6(), word),
    destination: fc.oneof(fc.ipV4(), fc.ipV6(), word),
    port: word,
    interface: word,
    type: word,
    ipproto: fc.option(word, { nil: undefined }),
    protocol: word,
  });

  it('lets only words through that no interpreter reads as more', () => {
    fc.assert(
      fc.property(anyRequest, (words) => {
        const parsed = parseFlow(words, widest);
        if (!parsed.ok) return parsed.problems.length > 0;
        return Object.values<string>({ ...parsed.flow }).every((each) => /^[A-Za-z0-9_.:/]*$/.test(each));
      }),
    );
  });

  it('gives the same flow for its own words', () => {
    fc.assert(
      fc.property(flows, (flow) => {
        expect(parse({ ...flow, ipproto: flow.ipprotocol })).to.deep.equal(flow);
      }),
    );
  });
});

/** Any flow there can be, in canonical spelling. */
const flows: fc.Arbitrary<Flow> = fc
  .record({
    ends: fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6())),
    port: fc.integer({ min: 1, max: 65535 }),
    interface: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,31}$/),
    type: fc.constantFrom(...types),
    protocol: fc.constantFrom(...protocols),
  })
  .map(({ ends: [source, destination], port, ...rest }) =>
    parseFlow(
      {
        ...rest,
        source,
        destination,
        port: rest.protocol === 'icmp' || rest.protocol === 'any' ? '' : String(port),
        ipproto: undefined,
      },
      widest,
    ),
  )
  .filter((parsed) => parsed.ok)
  .map(({ flow }) => flow);

describe('computeTracker', () => {
  it('gives the contract’s number', () => {
    // sha256("block|wan|inet|tcp|203.0.113.7|192.168.1.10|22|0"), first 8 bytes, mod 147483648
    expect(computeTracker(parse({}))).to.equal(2146416517);
  });

  it('stays in its band, for every attempt', () => {
    fc.assert(
      fc.property(flows, fc.nat(99), (flow, attempt) => {
        const tracker = computeTracker(flow, attempt);
        return tracker >= trackerBand.from && tracker < 2 ** 31;
      }),
    );
  });

  it('is what the playbooks compute, who also agree with each canonical spelling', () => {
    const sample = fc.sample(flows, 500);
    const script = [
      'import json, sys',
      `sys.path.insert(0, ${JSON.stringify(path.join(findPackageRoot(), 'playbooks/collections/ansible_collections/firebreak/core/plugins/plugin_utils'))})`,
      'sys.dont_write_bytecode = True',
      'import flows as f',
      'flows = [f.canonical_flow(flow) for flow in json.load(sys.stdin)]',
      'json.dump([[{k: flow[k] for k in f.FIELDS}, flow["tracker"], f.tracker_of(flow, 7)] for flow in flows], sys.stdout)',
    ].join('\n');
    const answer = execFileSync(findPython(), ['-c', script], { input: JSON.stringify(sample), encoding: 'utf8' });
    expect(JSON.parse(answer)).to.deep.equal(
      sample.map((flow) => [flow, computeTracker(flow), computeTracker(flow, 7)]),
    );
  });
});

describe('cleanDescription', () => {
  it('keeps plain words', () => {
    expect(cleanDescription('blocked for ssh-anomaly: 3.5 tries_a_second')).to.equal(
      'blocked for ssh-anomaly: 3.5 tries_a_second',
    );
  });

  it('makes one space of all else, and cuts at 52 bytes', () => {
    expect(cleanDescription('  a\n\t"b" $c\\ é  ')).to.equal('a b c');
    expect(cleanDescription('x'.repeat(80))).to.have.length(52);
    expect(cleanDescription(`${'x'.repeat(51)} y`)).to.equal('x'.repeat(51));
  });

  it('gives only what pf, XML, YAML, Jinja and a shell read as letters; and leaves that as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const clean = cleanDescription(text);
        expect(clean).to.match(/^([A-Za-z0-9.:_-]([A-Za-z0-9 .:_-]{0,50}[A-Za-z0-9.:_-])?)?$/);
        expect(cleanDescription(clean)).to.equal(clean);
      }),
    );
  });

  it('is what the playbooks make of the same text', () => {
    const texts = fc.sample(fc.string({ maxLength: 120 }), 200);
    const script = [
      'import json, sys',
      `sys.path.insert(0, ${JSON.stringify(path.join(findPackageRoot(), 'playbooks/collections/ansible_collections/firebreak/core/plugins/plugin_utils'))})`,
      'sys.dont_write_bytecode = True',
      'import flows as f',
      'json.dump([f.clean_description(text) for text in json.load(sys.stdin)], sys.stdout)',
    ].join('\n');
    const answer = execFileSync(findPython(), ['-c', script], { input: JSON.stringify(texts), encoding: 'utf8' });
    expect(JSON.parse(answer)).to.deep.equal(texts.map(cleanDescription));
  });
});
