import type { Config, FirewallConfig } from '../config/schema.js';
import { contains, parseAddress, type Address } from '../core/address.js';
import { cleanText, maxDescription } from '../core/description.js';
import { parseDuration } from '../core/duration.js';
import { describeProblem, FirebreakError, quoteBack, type Problem } from '../core/errors.js';
import { explainKeyword, parseFlow, type Flow, type FlowRequest } from '../core/flow.js';
import {
  explainInterface,
  findInterfaceKeys,
  isInterfaceKey,
  isInterfaceName,
  type FirewallInterface,
} from '../core/interface-name.js';
import type { InterfaceNetwork } from '../core/policy.js';
import { isTag, maxTags } from '../core/tags.js';

/** An alarm as requested, not yet checked; undefined where the request says nothing. */
export interface AlarmRequest {
  source: string;
  destination: string;
  port: string;
  interface: string | undefined;
  type: string | undefined;
  ipproto: string | undefined;
  protocol: string | undefined;
  description: string | undefined;
  duration: string | undefined;
  tags: readonly string[];
  /** Ids and figures of the SIEM, by option name: recorded and logged, never sent to a firewall. */
  context: Record<string, string>;
}

/** A checked alarm. */
export interface Alarm {
  /** Each platform truncates it to its own length. */
  description: string;
  /** How long to block, in milliseconds; null is forever, undefined if not requested. */
  durationMs: number | null | undefined;
  tags: readonly string[];
  context: Record<string, string>;
  /**
   * The flow on one firewall: the interface through which a source enters, and its key, depend on the firewall.
   * @throws FirebreakError alarm_invalid if the named interface can be none of this firewall
   */
  flowOn(firewall: FirewallConfig, known?: KnownInterfaces): Flow;
}

/** What is known of a firewall's interfaces besides its configuration. */
export interface KnownInterfaces {
  name: string;
  /** As the firewall reported them; empty if it has not. */
  interfaces: readonly FirewallInterface[];
  /** The networks behind them, likewise. */
  networks?: readonly InterfaceNetwork[];
  /** A person can correct a wrong name, so it is refused. An alarm is recorded with it, and fails on the firewall. */
  isByHand: boolean;
}

/**
 * Checks an alarm request against the grammar and fills in defaults.
 * @throws FirebreakError alarm_invalid with every problem
 */
export function parseAlarm(requested: AlarmRequest, config: Config): Alarm {
  const request = (name: string): FlowRequest => ({
    source: requested.source,
    destination: requested.destination,
    port: requested.port,
    interface: name,
    type: requested.type ?? config.defaults.type,
    ipproto: requested.ipproto,
    protocol: requested.protocol ?? config.defaults.protocol,
  });
  const { interface: named = 'wan' } = requested;
  const isName = isInterfaceName(named) && !isInterfaceKey(named);
  const checked = parseFlow(request(isName ? 'wan' : named), config.policy.widest);
  const problems = [
    ...(checked.ok ? [] : checked.problems),
    ...findContextProblems(requested.context),
    ...findDurationProblems(requested.duration),
    ...findDescriptionProblems(requested.description),
    ...findTagProblems(requested.tags),
  ];
  if (problems.length > 0 || !checked.ok) {
    throw new FirebreakError('alarm_invalid', problems.map(describeProblem).join('\n'), { problems });
  }
  return {
    description: cleanText(requested.description ?? config.defaults.description, maxDescription),
    durationMs: requested.duration === undefined ? undefined : parseDuration(requested.duration),
    tags: requested.tags,
    context: requested.context,
    flowOn: (firewall, known) => ({
      ...checked.flow,
      interface:
        requested.interface === undefined
          ? (findInterface(firewall, checked.flow.source, known?.networks) ?? 'wan')
          : toInterfaceKey(requested.interface, firewall, known),
    }),
  };
}

/** The key of a named interface. @throws FirebreakError alarm_invalid */
function toInterfaceKey(text: string, firewall: FirewallConfig, known?: KnownInterfaces): string {
  const { name = 'the firewall', interfaces = [], isByHand = false } = known ?? {};
  const configured = Object.keys(firewall.interfaces).map((key) => ({ key, description: '' }));
  const keys = findInterfaceKeys(text, [...interfaces, ...configured]);
  const [key] = keys;
  if (key !== undefined && keys.length === 1) {
    const isThere = interfaces.length === 0 || interfaces.some((each) => each.key === key);
    if (isThere || !isByHand) return key;
  } else if (isInterfaceKey(text) && !(isByHand && (interfaces.length > 0 || keys.length > 1))) return text;
  const message = explainInterface(text, keys, { firewall: name, interfaces });
  throw new FirebreakError('alarm_invalid', `interface: ${message}`);
}

function findContextProblems(context: Record<string, string>): Problem[] {
  return Object.entries(context)
    .filter(([, value]) => !/^[A-Za-z0-9.:_-]{1,64}$/.test(value) || explainKeyword(value) !== undefined)
    .map(([path, value]) => ({
      path,
      message:
        explainKeyword(value) ?? `expected at most 64 letters, digits, ".", ":", "_" or "-", got ${quoteBack(value)}`,
    }));
}

function findDurationProblems(duration: string | undefined): Problem[] {
  if (duration === undefined || parseDuration(duration) !== undefined) return [];
  return [{ path: 'for', message: `expected a duration such as 30m, 24h, 7d or forever, got ${quoteBack(duration)}` }];
}

function findDescriptionProblems(description: string | undefined): Problem[] {
  const message = description === undefined ? undefined : explainKeyword(description);
  return message === undefined ? [] : [{ path: 'description', message }];
}

function findTagProblems(tags: readonly string[]): Problem[] {
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) {
    const message = `expected 1 to 32 lower-case letters, digits or "-", got ${quoteBack(wrong)}`;
    return [{ path: 'tag', message }];
  }
  return tags.length <= maxTags ? [] : [{ path: 'tag', message: `expected at most ${maxTags}, got ${tags.length}` }];
}

/** Why a rule on the flow's interface would not match, or undefined if it does as far as the configuration shows. */
export function findMismatch(name: string, firewall: FirewallConfig, flow: Flow): string | undefined {
  const entry = findInterface(firewall, flow.source);
  if (entry === undefined || entry === flow.interface || !Object.hasOwn(firewall.interfaces, flow.interface)) {
    return undefined;
  }
  return `${name}: ${flow.source} enters through ${entry} (firewalls.${name}.interfaces): a rule on ${flow.interface} will not match it`;
}

/**
 * The interface through which a source enters: that of the longest network that contains it. Without configured
 * interfaces, the networks count that the firewall has reported.
 */
export function findInterface(
  firewall: FirewallConfig,
  source: string,
  learned: readonly InterfaceNetwork[] = [],
): string | undefined {
  const parsed = parseAddress(source);
  if (!parsed.ok) return undefined;
  const configured = Object.entries(firewall.interfaces).flatMap(([name, networks]) =>
    networks.map((network) => ({ name, network })),
  );
  const known = configured.length > 0 ? configured : toNetworks(learned, parsed.address.family);
  const candidates = known
    .filter(({ network }) => contains(network, parsed.address))
    .map(({ name, network: { prefix } }) => ({ name, prefix }));
  return candidates.sort((one, other) => other.prefix - one.prefix)[0]?.name;
}

/** Of one family only: an IPv4 alarm need not load the IPv6 parser. */
const toNetworks = (learned: readonly InterfaceNetwork[], family: Address['family']) =>
  learned
    .filter(({ network }) => network.includes(':') === (family === 'inet6'))
    .flatMap(({ interface: name, network }) => {
      const parsed = parseAddress(network);
      return parsed.ok ? [{ name, network: parsed.address }] : [];
    });
