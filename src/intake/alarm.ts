import type { Config, FirewallConfig } from '../config/schema.js';
import { contains, parseAddress } from '../core/address.js';
import { cleanText, maxDescription } from '../core/description.js';
import { parseDuration } from '../core/duration.js';
import { describeProblem, FirebreakError, quoteBack, type Problem } from '../core/errors.js';
import { explainKeyword, parseFlow, type Flow, type FlowRequest } from '../core/flow.js';

/** An alarm as it was requested, not yet checked; undefined where nothing was said. */
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
  /** Ids and figures of the SIEM, by option name: kept and logged, never sent to a firewall. */
  context: Record<string, string>;
}

/** An alarm that can be acted on. */
export interface Alarm {
  /** Each platform cuts it to the length that it takes. */
  description: string;
  /** How long to block, in milliseconds; null for ever, undefined where nobody said. */
  durationMs: number | null | undefined;
  context: Record<string, string>;
  /** The flow on one firewall: which interface a source enters by is a firewall's own matter. */
  flowOn(firewall: FirewallConfig): Flow;
}

/**
 * Checks an alarm's words against the grammar and fills in what was left out.
 * @throws FirebreakError alarm_invalid with every problem at once
 */
export function parseAlarm(words: AlarmRequest, config: Config): Alarm {
  const request = (name: string): FlowRequest => ({
    source: words.source,
    destination: words.destination,
    port: words.port,
    interface: name,
    type: words.type ?? config.defaults.type,
    ipproto: words.ipproto,
    protocol: words.protocol ?? config.defaults.protocol,
  });
  const checked = parseFlow(request(words.interface ?? 'wan'), config.policy.widest);
  const problems = [
    ...(checked.ok ? [] : checked.problems),
    ...findContextProblems(words.context),
    ...findDurationProblems(words.duration),
    ...findDescriptionProblems(words.description),
  ];
  if (problems.length > 0 || !checked.ok) {
    throw new FirebreakError('alarm_invalid', problems.map(describeProblem).join('\n'));
  }
  return {
    description: cleanText(words.description ?? config.defaults.description, maxDescription),
    durationMs: words.duration === undefined ? undefined : parseDuration(words.duration),
    context: words.context,
    flowOn: (firewall) =>
      words.interface === undefined
        ? { ...checked.flow, interface: findInterface(firewall, checked.flow.source) ?? 'wan' }
        : checked.flow,
  };
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
  return [{ path: 'for', message: `expected such as 30m, 24h, 7d or forever, got ${quoteBack(duration)}` }];
}

function findDescriptionProblems(description: string | undefined): Problem[] {
  const message = description === undefined ? undefined : explainKeyword(description);
  return message === undefined ? [] : [{ path: 'description', message }];
}

/** Why a rule on the flow's interface would not match, or undefined where it does, as far as the configuration tells. */
export function findMismatch(name: string, firewall: FirewallConfig, flow: Flow): string | undefined {
  const entry = findInterface(firewall, flow.source);
  if (entry === undefined || entry === flow.interface || !Object.hasOwn(firewall.interfaces, flow.interface)) {
    return undefined;
  }
  return `${name}: ${flow.source} enters by ${entry} (firewalls.${name}.interfaces): a rule on ${flow.interface} will not match it`;
}

/** The interface by which a source enters: the longest of the configured networks that holds it. */
export function findInterface(firewall: FirewallConfig, source: string): string | undefined {
  const parsed = parseAddress(source);
  if (!parsed.ok) return undefined;
  const candidates = Object.entries(firewall.interfaces).flatMap(([name, networks]) =>
    networks.filter((network) => contains(network, parsed.address)).map(({ prefix }) => ({ name, prefix })),
  );
  return candidates.sort((one, other) => other.prefix - one.prefix)[0]?.name;
}
