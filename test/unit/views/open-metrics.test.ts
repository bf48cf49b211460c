import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { toOpenMetrics, toPlainMetrics, type Metrics } from '#firebreak/views/open-metrics.js';
import { packageRoot } from '../../lab/package-root.js';

const read = (file: string): string => readFileSync(path.join(packageRoot, 'integrations/prometheus', file), 'utf8');

const blocks = { active: 3, bypassed: 1, underWay: 2, failing: 1, givenUp: 0, held: 4 };

const metrics: Metrics = {
  counts: {
    since: 1_000_000,
    alarms: 7,
    outcomes: [{ firewall: 'edge', kind: 'proven', many: 3 }],
    failures: [{ firewall: 'ed"ge\\\n', code: 'unreachable', many: 1 }],
    proofs: { within: [{ seconds: 0.5, many: 1 }, { seconds: 1, many: 2 }], many: 3, sumMs: 4500 }, // prettier-ignore
    runs: [{ firewall: 'edge', many: 2, sumMs: 3000 }],
    drift: [{ firewall: 'edge', differences: 1 }],
  },
  overview: {
    firewalls: [{ name: 'edge', blocks, packets: 1234, lastRun: null, lastProofAt: 2_000_000 }],
    lastAlarmAt: 3_000_000,
    lastExpireAt: 2_500_000,
    messages: { waiting: 2, failing: 1 },
  },
  isFrozen: true,
};
const text = toOpenMetrics(metrics);

/** Debian's package prometheus has it; `scripts/setup.sh test` brings the program alone. */
const promtool = ['/usr/bin/promtool', path.join(packageRoot, '.tools/promtool')].find(existsSync);

describe('promtool', function () {
  this.timeout(30_000);
  before(function () {
    if (promtool === undefined) this.skip(); // neither Debian nor its package
  });
  const check = (words: readonly string[], input = '') => {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', words, { input, encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  };

  it('finds nothing wrong with the metrics', () => {
    expect(check(['check', 'metrics'], toPlainMetrics(metrics))).to.deep.equal({ status: 0, said: '' });
  });

  it('finds what is wrong with others', () => {
    expect(check(['check', 'metrics'], '# TYPE alarms counter\nalarms 7\n').status).not.to.equal(0);
  });

  it('finds nothing wrong with the alert rules', () => {
    const { status, said } = check([
      'check',
      'rules',
      path.join(packageRoot, 'integrations/prometheus/firebreak.rules.yml'),
    ]);
    expect(said).to.include('SUCCESS: 9 rules found');
    expect(status).to.equal(0);
  });
});

describe('the metrics', () => {
  it('are also what readers take that do not know OpenMetrics', () => {
    const plain = toPlainMetrics(metrics).split('\n');
    expect(plain).to.include('# TYPE firebreak_alarms_total counter').and.to.include('firebreak_alarms_total 7');
    expect(plain.filter((line) => /_created|# UNIT|# EOF/.test(line))).to.deep.equal([]);
  });

  it('have counters with their beginning, gauges and a histogram', () => {
    for (const line of [
      '# TYPE firebreak_alarms counter',
      'firebreak_alarms_total 7',
      'firebreak_alarms_created 1000',
      'firebreak_outcomes_total{firewall="edge",kind="proven"} 3',
      'firebreak_run_seconds_total{firewall="edge"} 3',
      '# UNIT firebreak_proof_seconds seconds',
      'firebreak_proof_seconds_bucket{le="1.0"} 2',
      'firebreak_proof_seconds_bucket{le="+Inf"} 3',
      'firebreak_proof_seconds_sum 4.5',
      'firebreak_blocks{firewall="edge",state="held"} 4',
      'firebreak_frozen 1',
      'firebreak_last_expire_timestamp_seconds 2500',
    ])
      expect(text.split('\n')).to.include(line);
    expect(text.endsWith('# EOF\n')).to.equal(true);
  });

  it('escape what is in a label', () => {
    expect(text).to.include(String.raw`firebreak_failures_total{firewall="ed\"ge\\\n",code="unreachable"} 1`);
  });

  it('are all that the alert rules and the dashboard name', () => {
    const { groups } = parse(read('firebreak.rules.yml')) as { groups: { rules: { expr: string }[] }[] };
    const { panels } = JSON.parse(read('grafana.json')) as { panels: { targets: { expr: string }[] }[] };
    const queries = [...groups.flatMap(({ rules }) => rules), ...panels.flatMap(({ targets }) => targets)];
    const named = queries.flatMap(({ expr }) => expr.match(/firebreak_\w+/g) ?? []);
    expect(named.length).to.be.greaterThan(15);
    const known = new Set([...text.matchAll(/^(firebreak_\w+)/gm)].map(([, name]) => name));
    expect(named.filter((name) => !known.has(name))).to.deep.equal([]);
  });
});
