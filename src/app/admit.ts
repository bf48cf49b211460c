import { findPolicy } from '../config/policy-in-force.js';
import type { Config, FirewallConfig } from '../config/schema.js';
import { isObserving, selectFirewalls } from '../config/select.js';
import { findThisHost } from '../config/this-host.js';
import type { Flow } from '../core/flow.js';
import { findGrace } from '../core/allowance.js';
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
  /** Whether a person makes the request, who can correct the name of an interface. */
  isByHand?: boolean;
}

/** The flow of an alarm on a firewall, with what the firewall reported of its interfaces. */
const flowOn = (alarm: Alarm, [name, settings]: [string, FirewallConfig], { seen, isByHand = false }: Target): Flow =>
  alarm.flowOn(settings, {
    name,
    interfaces: seen?.interfaces?.[name] ?? [],
    networks: seen?.networks?.[name] ?? [],
    isByHand,
  });

/**
 * What an alarm requests of each firewall, with the policy's answer.
 * @throws FirebreakError firewall_unknown, alarm_invalid
 */
export function admit(alarm: Alarm, target: Target, config: Config): BlockRequest[] {
  const { firewalls, override, policyOf = makePolicies(config, target.seen) } = target;
  const { factor, max, memory } = config.escalation;
  return selectFirewalls(config, firewalls).map(([firewall, settings]) => {
    const flow = flowOn(alarm, [firewall, settings], target);
    const fitted = fitToPlatform(platformOf(settings), { flow, description: alarm.description });
    const refusal = override === undefined ? findRefusal(flow, policyOf(firewall)) : undefined;
    return {
      firewall,
      flow,
      description: fitted.description,
      durationMs: alarm.durationMs === undefined ? config.defaults.duration : alarm.durationMs,
      escalation: alarm.durationMs === undefined ? { factor, maxMs: max, memoryMs: memory } : undefined,
      refusal: fitted.refusal ?? refusal,
      grace: override === undefined ? findGrace(flow, firewall, target.seen?.allowances) : undefined,
      override,
      tags: alarm.tags,
      isObserved: isObserving(firewall, config, target.seen),
    };
  });
}

/** Why rules would not match: the firewalls on which the source does not enter through the interface of the rule. */
export const findMismatches = (blocks: readonly Pick<BlockRequest, 'firewall' | 'flow'>[], config: Config): string[] =>
  blocks.flatMap(({ firewall, flow }) => {
    const settings = config.firewalls[firewall];
    return settings === undefined ? [] : (findMismatch(firewall, settings, flow) ?? []);
  });
