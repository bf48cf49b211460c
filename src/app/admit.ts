import { findPolicy } from '../config/policy.js';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { findThisHost } from '../config/this-host.js';
import { findRefusal, type Policy, type Seen } from '../core/policy.js';
import { findMismatch, type Alarm } from '../intake/alarm.js';
import type { BlockRequest } from '../ledger/ledger.js';

/** The policy on a firewall. */
export type PolicyOf = (firewall: string) => Policy;

/** The policy of each firewall with what was seen, made once: a list asks for it thousands of times. */
export function findPolicies(config: Config, seen?: Seen): PolicyOf {
  const host = findThisHost();
  const known = new Map<string, Policy>();
  return (firewall) => {
    const policy = known.get(firewall) ?? findPolicy(config, { ...(seen && { seen }), firewall, host });
    known.set(firewall, policy);
    return policy;
  };
}

/**
 * What an alarm asks of each firewall, the policy's answer included.
 * @param asked of which firewalls (all where none is named), by which policy, and an operator's reason to go against it
 * @throws FirebreakError firewall_unknown
 */
export function toKeepBlocks(
  alarm: Alarm,
  config: Config,
  asked: { firewalls: readonly string[]; policyOf: PolicyOf; override?: string | undefined },
): BlockRequest[] {
  const { firewalls, policyOf, override } = asked;
  const { factor, max, memory } = config.escalation;
  return selectFirewalls(config, firewalls).map(([firewall, settings]) => {
    const flow = alarm.flowOn(settings);
    const refusal = findRefusal(flow, policyOf(firewall));
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
export const findMismatches = (wanted: readonly BlockRequest[], { firewalls }: Config): string[] =>
  wanted.flatMap(({ firewall, flow }) => {
    const settings = firewalls[firewall];
    return settings === undefined ? [] : (findMismatch(firewall, settings, flow) ?? []);
  });
