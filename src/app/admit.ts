import { findPolicy } from '../config/policy-in-force.js';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { findThisHost } from '../config/this-host.js';
import { findRefusal, type Policy, type Seen } from '../core/policy.js';
import { findMismatch, type Alarm } from '../intake/alarm.js';
import { fitToPlatform } from '../platforms/fit.js';
import { platformOf } from '../platforms/index.js';
import type { BlockRequest } from '../ledger/ledger.js';

/** The policy of a firewall. */
export type PolicyOf = (firewall: string) => Policy;

/** The policy of each firewall with learned addresses, made once: a list needs it thousands of times. */
export function makePolicies(config: Config, seen?: Seen): PolicyOf {
  const host = findThisHost();
  const known = new Map<string, Policy>();
  return (firewall) => {
    const policy = known.get(firewall) ?? findPolicy(config, { ...(seen && { seen }), firewall, host });
    known.set(firewall, policy);
    return policy;
  };
}

export interface Target {
  /** Empty: all firewalls. */
  firewalls: readonly string[];
  /** An operator's reason to override the policy. */
  override?: string | undefined;
  /** What was learned from firewalls and callers. */
  seen?: Seen;
  /** The policies made with it, if there are many alarms. */
  policyOf?: PolicyOf;
}

/**
 * What an alarm requests of each firewall, with the policy's answer.
 * @throws FirebreakError firewall_unknown
 */
export function admit(alarm: Alarm, target: Target, config: Config): BlockRequest[] {
  const { firewalls, override, policyOf = makePolicies(config, target.seen) } = target;
  const { factor, max, memory } = config.escalation;
  return selectFirewalls(config, firewalls).map(([firewall, settings]) => {
    const flow = alarm.flowOn(settings, target.seen?.networks?.[firewall]);
    const fitted = fitToPlatform(platformOf(settings), { flow, description: alarm.description });
    const refusal = override === undefined ? findRefusal(flow, policyOf(firewall)) : undefined;
    return {
      firewall,
      flow,
      description: fitted.description,
      durationMs: alarm.durationMs === undefined ? config.defaults.duration : alarm.durationMs,
      escalation: alarm.durationMs === undefined ? { factor, maxMs: max, memoryMs: memory } : undefined,
      refusal: fitted.refusal ?? refusal,
      override,
    };
  });
}

/**
 * Warns of firewalls on which the source does not enter through the interface of the rule.
 * @throws FirebreakError firewall_unknown
 */
export const findMismatches = (alarm: Alarm, firewalls: readonly string[], config: Config): string[] =>
  selectFirewalls(config, firewalls).flatMap(
    ([name, settings]) => findMismatch(name, settings, alarm.flowOn(settings)) ?? [],
  );
