import { findPolicy } from '../config/policy.js';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { findThisHost } from '../config/this-host.js';
import { findRefusal, type Seen } from '../core/policy.js';
import { findMismatch, type Alarm } from '../intake/alarm.js';
import type { KeepBlock } from '../ledger/ledger.js';

/**
 * What an alarm asks of each firewall, the policy's answer included.
 * @param asked of which firewalls (all where none is named), what is known of them, and an operator's reason to go
 * against the policy
 * @throws FirebreakError firewall_unknown
 */
export function toKeepBlocks(
  alarm: Alarm,
  config: Config,
  asked: { firewalls: readonly string[]; seen?: Seen; override?: string | undefined },
): KeepBlock[] {
  const { firewalls, seen, override } = asked;
  const host = findThisHost();
  const { factor, max, memory } = config.escalation;
  return selectFirewalls(config, firewalls).map(([firewall, settings]) => {
    const flow = alarm.flowOn(settings);
    const refusal = findRefusal(flow, findPolicy(config, { ...(seen && { seen }), firewall, host }));
    return {
      firewall,
      flow,
      description: alarm.description,
      durationMs: alarm.durationMs === undefined ? config.defaults.duration : alarm.durationMs,
      escalation: alarm.durationMs === undefined ? { factor, maxMs: max, memoryMs: memory } : undefined,
      refusal: override === undefined ? refusal : undefined,
      override,
    };
  });
}

/** Warnings: blocks on an interface by which their source does not enter. */
export const findMismatches = (wanted: readonly KeepBlock[], { firewalls }: Config): string[] =>
  wanted.flatMap(({ firewall, flow }) => {
    const settings = firewalls[firewall];
    return settings === undefined ? [] : (findMismatch(firewall, settings, flow) ?? []);
  });
