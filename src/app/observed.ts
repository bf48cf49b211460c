import { contains, parseAddress, type Address } from '../core/address.js';
import type { ObservedReport } from '../core/stats.js';
import type { App } from '../runtime/app.js';

/** The most outcomes that the report counts. */
const limit = 10_000;

/** Private networks (RFC 1918, RFC 6598, RFC 4193): blocking a source inside them hurts colleagues, not attackers. */
const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** What observe mode would have blocked since then, and what of it would have hurt. */
export async function readObserved(since: number, { config, ledger }: App): Promise<ObservedReport> {
  const outcomes = await ledger.findOutcomes({ since, kinds: ['observed', 'refused'], limit });
  const { networks = {} } = await ledger.findSeen();
  const configured = Object.values(config.firewalls).flatMap(({ interfaces }) => Object.values(interfaces).flat());
  const learned = Object.values(networks).flatMap((all) => all.map(({ network }) => network));
  const own = [...configured, ...[...privateNetworks, ...learned].flatMap(parse)].filter(({ prefix }) => prefix > 0);
  const isOwn = (source: string): boolean =>
    parse(source).some((address) => own.some((network) => contains(network, address)));
  const ofKind = (kind: string) => [
    ...new Map(outcomes.filter((each) => each.kind === kind).map(({ block }) => [block.id, block])).values(),
  ];
  const observed = ofKind('observed');
  return {
    since,
    until: await ledger.now(),
    observed,
    refused: ofKind('refused'),
    own: observed.filter(({ flow }) => isOwn(flow.source)),
    repeated: observed.filter(({ alarms }) => alarms > 1),
  };
}

const parse = (text: string): Address[] => {
  const parsed = parseAddress(text);
  return parsed.ok ? [parsed.address] : [];
};
