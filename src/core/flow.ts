import { parseAddress, type Address } from './address.js';
import { quoteBack, type Problem } from './errors.js';
import { toPort } from './services.js';

export const types = ['block', 'reject'] as const;
export const families = ['inet', 'inet6'] as const;
export const protocols = ['tcp', 'udp', 'tcp/udp', 'icmp', 'any'] as const;

export type RuleType = (typeof types)[number];
export type Family = (typeof families)[number];
export type Protocol = (typeof protocols)[number];

/** What to block on one firewall, in canonical spelling: equal flows have equal fields. */
export interface Flow {
  type: RuleType;
  /** The firewall's own key (`wan`, `lan`, `opt1`) or an interface group's name. */
  interface: string;
  ipprotocol: Family;
  protocol: Protocol;
  source: string;
  destination: string;
  /** `1`-`65535`, or empty if the protocol has no ports. */
  port: string;
}

/** A flow as requested, not yet checked; undefined where the request says nothing. */
export interface FlowRequest {
  source: string;
  destination: string;
  port: string;
  interface: string;
  type: string;
  ipproto: string | undefined;
  protocol: string;
}

/** The shortest prefix (widest network) that may be blocked, in bits. */
export type Widest = Record<Family, number>;

export type ParsedFlow = { ok: true; flow: Flow } | { ok: false; problems: Problem[] };

/** Checks a request as a whole, so that all its problems are reported together. */
export function parseFlow(request: FlowRequest, widest: Widest): ParsedFlow {
  const problems: Problem[] = [];
  const problem: Report = (path, message) => {
    problems.push({ path, message });
    return undefined;
  };
  const end = (path: string, text: string): Address | undefined => {
    const message = explainKeyword(text);
    if (message !== undefined) return problem(path, message);
    const parsed = parseAddress(text);
    if (!parsed.ok) return problem(path, parsed.message);
    const refusal = explainNoHost(parsed.address) ?? explainWidth(parsed.address, widest);
    return refusal === undefined ? parsed.address : problem(path, refusal);
  };

  const source = end('source', request.source);
  const destination = end('destination', request.destination);
  const type = oneOf(types, request.type) ?? problem('type', explainType(request.type));
  const protocol =
    oneOf(protocols, request.protocol.toLowerCase()) ??
    problem('protocol', explainWord(request.protocol, `expected one of ${protocols.join(', ')}`));
  const port = protocol === undefined ? undefined : parsePort(request.port, protocol, problem);
  const name = parseInterface(request.interface, problem);

  if (source !== undefined && destination !== undefined && source.family !== destination.family) {
    problem(
      '',
      `${source.text} and ${destination.text} are of different families: no packet flows between IPv4 and IPv6`,
    );
  }
  if (source !== undefined && source.text === destination?.text) {
    problem('', `${source.text} is both source and destination: name the attacker as source`);
  }
  const family = source?.family;
  if (request.ipproto !== undefined) checkFamily(request.ipproto, family, problem);

  if (
    problems.length > 0 ||
    source === undefined ||
    destination === undefined ||
    type === undefined ||
    protocol === undefined ||
    port === undefined ||
    name === undefined
  ) {
    return { ok: false, problems };
  }
  return {
    ok: true,
    flow: {
      type,
      interface: name,
      ipprotocol: source.family,
      protocol,
      source: source.text,
      destination: destination.text,
      port,
    },
  };
}

type Report = (path: string, message: string) => undefined;

const oneOf = <T extends string>(values: readonly T[], text: string): T | undefined =>
  values.find((value) => value === text);

const hasPorts = (protocol: Protocol): boolean => protocol !== 'icmp' && protocol !== 'any';

function parsePort(text: string, protocol: Protocol, problem: Report): string | undefined {
  if (!hasPorts(protocol)) {
    if (text === '' || text === '0') return '';
    return problem('port', `${protocol} has no ports: leave it empty or 0, got ${quoteBack(text)}`);
  }
  if (text === '' || text === '0') {
    const what = text === '' ? 'none is given' : '0 is OSSIM\'s value for "no port"';
    return problem('port', `${what}: a ${protocol} block needs a port; use --protocol any for all`);
  }
  const port = toPort(text);
  if (/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65535) return port;
  const names = /^[A-Za-z]/.test(text) ? ' or a service such as ssh' : '';
  return problem('port', explainWord(text, `expected 1-65535${names}`));
}

function parseInterface(text: string, problem: Report): string | undefined {
  if (/^[A-Za-z][A-Za-z0-9_]{0,31}$/.test(text) && explainKeyword(text) === undefined) return text;
  return problem('interface', explainWord(text, "expected the firewall's own key, such as wan, lan or opt1"));
}

function checkFamily(word: string, family: Family | undefined, problem: Report): void {
  if (oneOf(families, word) === undefined) {
    problem('ipproto', explainWord(word, 'expected inet or inet6'));
  } else if (family !== undefined && word !== family) {
    problem('ipproto', `the addresses are ${family}, got ${quoteBack(word)}: pfSense would not load the rule`);
  }
}

function explainNoHost({ text }: Address): string | undefined {
  return text === '0.0.0.0' || text === '::'
    ? `${text} is not a host address (OSSIM sends it when it has none)`
    : undefined;
}

function explainWidth(address: Address, widest: Widest): string | undefined {
  if (address.prefix >= widest[address.family]) return undefined;
  return `${address.text} is wider than policy.widest allows (/${widest[address.family]} for ${address.family}; in an alarm, single hosts only)`;
}

function explainType(word: string): string {
  const lower = oneOf(types, word.toLowerCase());
  if (lower !== undefined) {
    return `expected "${lower}" in lower case, got ${quoteBack(word)}: pfSense would make it a pass rule`;
  }
  return explainWord(word, `expected ${types.join(' or ')}`);
}

const explainWord = (text: string, expectation: string): string =>
  explainKeyword(text) ?? `${expectation}, got ${quoteBack(text)}`;

const keywords =
  /^(DATE|PLUGIN_ID|PLUGIN_SID|RISK|PRIORITY|RELIABILITY|SRC_IP_HOSTNAME|DST_IP_HOSTNAME|SRC_IP|DST_IP|SRC_PORT|DST_PORT|PROTOCOL|SENSOR|BACKLOG_ID|EVENT_ID|PLUGIN_NAME|SID_NAME|USERNAME|PASSWORD|FILENAME|USERDATA[1-9])$/;

/** OSSIM passes a keyword literally if it has no value for it (as its sources show). */
export function explainKeyword(text: string): string | undefined {
  return keywords.test(text)
    ? `got the literal word ${text}: the SIEM did not fill it in (check the policy's command)`
    : undefined;
}
