import type { FeedState } from '../config/feed-state.js';
import type { Counts, Overview } from '../core/stats.js';

/** What a scrape shows. Counters count since `counts.since`, when the server began. */
export interface Metrics {
  counts: Counts;
  overview: Overview;
  isFrozen: boolean;
  /** Undefined if no feed is configured. */
  feed?: FeedState | undefined;
}

type Labels = Readonly<Record<string, string>>;

interface Sample {
  suffix?: string;
  labels?: Labels;
  value: number;
}

interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  unit?: string;
  help: string;
  samples: readonly Sample[];
}

export const metricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const familiesOf = (metrics: Metrics): Family[] => [...countersOf(metrics.counts), ...gaugesOf(metrics)];

/** The figures as OpenMetrics 1.0. */
export const toOpenMetrics = (metrics: Metrics): string => `${familiesOf(metrics).map(toText).join('')}# EOF\n`;

export const plainMetricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** The same in the older text format of Prometheus, for readers that do not know OpenMetrics. */
export const toPlainMetrics = (metrics: Metrics): string => familiesOf(metrics).map(toPlain).map(toText).join('');

/** Here a counter has the name of its samples, and neither a beginning nor a unit. */
function toPlain({ name, type, help, samples }: Family): Family {
  if (type !== 'counter') return { name, type, help, samples };
  const totals = samples.filter(({ suffix }) => suffix === '_total');
  return { name: `${name}_total`, type, help, samples: totals.map((sample) => ({ ...sample, suffix: '' })) };
}

const total = (labels: Labels, value: number): Sample => ({ suffix: '_total', labels, value });

function countersOf({ alarms, outcomes, failures, proofs, runs, drift, since }: Counts): Family[] {
  const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
    ...{ name: `firebreak_${name}`, type: 'counter' as const, help },
    samples: samples.flatMap((sample) => [sample, { ...sample, suffix: '_created', value: since / 1000 }]),
  });
  return [
    counter('alarms', 'Alarms recorded.', [total({}, alarms)]),
    counter(
      'outcomes',
      'Outcomes of blocks.',
      outcomes.map(({ firewall, kind, many }) => total({ firewall, kind }, many)),
    ),
    counter(
      'failures',
      'Blocks that began to fail, by cause.',
      failures.map(({ firewall, code, many }) => total({ firewall, code }, many)),
    ),
    counter(
      'runs',
      'Runs of Ansible that ended.',
      runs.map(({ firewall, many }) => total({ firewall }, many)),
    ),
    counter(
      'run_seconds',
      'Time of these runs.',
      runs.map(({ firewall, sumMs }) => total({ firewall }, sumMs / 1000)),
    ),
    counter(
      'drift',
      'Differences found between ledger and firewall.',
      drift.map(({ firewall, differences }) => total({ firewall }, differences)),
    ),
    {
      ...{ name: 'firebreak_proof_seconds', type: 'histogram', unit: 'seconds' },
      help: 'Time from the request of a block to its proof.',
      samples: [
        ...proofs.within.map(({ seconds, many }) => ({
          suffix: '_bucket',
          labels: { le: decimal(seconds) },
          value: many,
        })),
        { suffix: '_bucket', labels: { le: '+Inf' }, value: proofs.many },
        { suffix: '_sum', value: proofs.sumMs / 1000 },
        { suffix: '_count', value: proofs.many },
      ],
    },
  ];
}

/** OpenMetrics writes the limit of a bucket as a number with a point. */
const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

function gaugesOf({ overview, isFrozen, feed }: Metrics): Family[] {
  const { firewalls, messages, lastAlarmAt, lastExpireAt } = overview;
  const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
    ...{ name: `firebreak_${name}`, type: 'gauge', help, samples },
    ...(name.endsWith('_seconds') && { unit: 'seconds' }),
  });
  const time = (at: number | null, labels?: Labels): Sample[] =>
    at === null ? [] : [{ value: at / 1000, ...(labels && { labels }) }];
  const states = firewalls.flatMap(({ name, blocks }) =>
    [
      ['active', blocks.active],
      ['bypassed', blocks.bypassed],
      ['under_way', blocks.underWay],
      ['failing', blocks.failing],
      ['failed', blocks.givenUp],
      ['held', blocks.held],
    ].map(([state, value]) => ({ labels: { firewall: name, state: String(state) }, value: Number(value) })),
  );
  return [
    gauge('blocks', 'Current blocks; bypassed ones are active, failing ones are under way.', states),
    gauge(
      'blocked_packets',
      'Packets that current blocks are known to have stopped.',
      firewalls.map(({ name, packets }) => ({ labels: { firewall: name }, value: packets })),
    ),
    gauge('messages_waiting', 'Messages that wait to be sent.', [{ value: messages.waiting }]),
    gauge('messages_failing', 'Those among them that a server has refused.', [{ value: messages.failing }]),
    gauge('frozen', 'Whether all changes are frozen.', [{ value: Number(isFrozen) }]),
    gauge('last_alarm_timestamp_seconds', 'Time of the last alarm.', time(lastAlarmAt)),
    gauge('last_expire_timestamp_seconds', 'When expired blocks were last released.', time(lastExpireAt)),
    gauge(
      'last_proof_timestamp_seconds',
      'Time of the last proof on a firewall.',
      firewalls.flatMap(({ name, lastProofAt }) => time(lastProofAt, { firewall: name })),
    ),
    ...(feed === undefined
      ? []
      : [
          gauge('feed_failing', 'Whether the last request of a feed failed.', [
            { labels: { feed: 'crowdsec' }, value: Number(feed.failing_since !== null) },
          ]),
          gauge(
            'feed_last_success_timestamp_seconds',
            'When a feed was last applied.',
            time(feed.last_success_at, { feed: 'crowdsec' }),
          ),
        ]),
  ];
}

function toText({ name, type, unit, help, samples }: Family): string {
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
    ...samples.map(({ suffix = '', labels = {}, value }) => `${name}${suffix}${toLabels(labels)} ${value}`),
  ];
  return `${lines.join('\n')}\n`;
}

function toLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
