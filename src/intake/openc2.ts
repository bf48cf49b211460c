import * as z from 'zod';
import type { ServeConfig } from '../config/schema/serve-keys.js';
import { parseAddress } from '../core/address.js';
import { toAlarmRequest } from './fields.js';
import type { AlarmRequest } from './alarm.js';

/**
 * Commands of OpenC2 1.0 with the actuator profile for packet filtering (OASIS). What a command asks for is done as
 * it says, or it is refused: an argument that is not supported is never ignored.
 */
export type Command =
  | { kind: 'deny'; request: AlarmRequest; firewalls: string[]; response: ResponseKind }
  | { kind: 'delete'; tracker: number; response: ResponseKind }
  | { kind: 'features'; names: string[]; response: ResponseKind }
  | { kind: 'properties'; names: PropertyName[]; response: ResponseKind };

export const responseKinds = ['none', 'ack', 'status', 'complete'] as const;
export type ResponseKind = (typeof responseKinds)[number];

/** A command, or the status and the text that answer it. */
export type ParsedCommand = { ok: true; command: Command } | { ok: false; status: 400 | 501; text: string };

/** Destination, port and protocol of a command that denies a network, which has none. */
export type Fill = NonNullable<ServeConfig['openc2']['fill']>;

/** The targets of each action, as `query features` answers. */
const pairs = {
  deny: ['ipv4_connection', 'ipv6_connection', 'ipv4_net', 'ipv6_net'],
  delete: ['pf:rule_number'],
  query: ['features', 'properties'],
} as const;

const isNetwork = (target: string): boolean => target.endsWith('_net');

/** A network is supported where the configuration says which destination it may not reach. */
export const supportedPairs = (fill: Fill | undefined): Record<string, readonly string[]> => ({
  ...pairs,
  deny: pairs.deny.filter((target) => fill !== undefined || !isNetwork(target)),
});

export const featureNames = ['versions', 'profiles', 'pairs', 'rate_limit'] as const;

/** Specifiers and arguments of the profile: `query properties` answers with the values that they may have. */
export const propertyNames = ['hostname', 'drop_process', 'direction', 'persistent'] as const;
export type PropertyName = (typeof propertyNames)[number];

const args = z.strictObject({
  duration: z.int().positive().optional(),
  response_requested: z.enum(responseKinds).default('complete'),
  pf: z
    .strictObject({
      drop_process: z.enum(['none', 'reject']).default('none'),
      direction: z.literal('ingress').optional(),
      persistent: z.literal(true).optional(),
      description: z.string().max(255).optional(),
    })
    .prefault({}),
});

const connection = z.strictObject({
  protocol: z.enum(['tcp', 'udp', 'icmp']).optional(),
  src_addr: z.string(),
  dst_addr: z.string(),
  dst_port: z.int().optional(),
});

const actuator = z.strictObject({
  pf: z.strictObject({ hostname: z.string().optional(), asset_id: z.string().optional() }).prefault({}),
});

const frame = z.strictObject({
  action: z.string(),
  target: z.record(z.string(), z.unknown()).refine((target) => Object.keys(target).length === 1),
  args: z.record(z.string(), z.unknown()).prefault({}),
  actuator: z.record(z.string(), z.unknown()).prefault({}),
  command_id: z.string().max(36).optional(),
});

const refuse = (status: 400 | 501, text: string): ParsedCommand => ({ ok: false, status, text });

/** Reads a command, bare or in the message of the HTTPS transfer. */
export function parseCommand(document: unknown, fill: Fill | undefined): ParsedCommand {
  const parsed = frame.safeParse(unwrap(document));
  if (!parsed.success) return refuse(400, 'expected an action, one target, and at most args, actuator and command_id');
  const { action, target } = parsed.data;
  const [name = ''] = Object.keys(target);
  const targets = Object.hasOwn(pairs, action) ? pairs[action as keyof typeof pairs] : undefined;
  if (targets === undefined) return refuse(501, 'this action is not supported; query features lists those that are');
  if (!targets.some((each) => each === name))
    return refuse(501, 'this target is not supported; query features lists those that are');
  if (isNetwork(name) && fill === undefined)
    return refuse(501, `${name} is not supported: a block has a destination; serve.openc2.fill can name one`);
  const given = args.safeParse(parsed.data.args);
  const place = actuator.safeParse(parsed.data.actuator);
  if (!given.success) return refuse(501, `args: ${describe(given.error)}`);
  if (!place.success) return refuse(501, `actuator: ${describe(place.error)}`);
  const { response_requested: response } = given.data;
  if (action === 'query')
    return name === 'features' ? readFeatures(target[name], response) : readProperties(target[name], response);
  if (action === 'delete') return readDelete(target[name], response);
  const { hostname, asset_id } = place.data.pf;
  const firewalls = [hostname, asset_id].flatMap((each) => each ?? []);
  const read = isNetwork(name) ? readNetwork(name, target[name], fill) : readConnection(target[name]);
  return 'ok' in read ? read : toDeny(read, given.data, firewalls);
}

/** The names of what is not supported: their values are not repeated. */
const describe = (error: z.ZodError): string => {
  const names = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')],
  );
  return `${names.map((name) => name.replace(/[^\w.:-]/g, '?').slice(0, 40)).join(', ')} with this value is not supported`;
};

function unwrap(document: unknown): unknown {
  const message = z.object({ body: z.object({ openc2: z.object({ request: z.unknown() }) }) }).safeParse(document);
  return message.success ? message.data.body.openc2.request : document;
}

type Fields = Readonly<Record<'source' | 'destination' | 'port' | 'protocol', string | undefined>>;

function readConnection(target: unknown): Fields | ParsedCommand {
  if (typeof target === 'object' && target !== null && 'src_port' in target)
    return refuse(501, 'src_port is not supported: a block concerns every source port');
  const parsed = connection.safeParse(target);
  if (!parsed.success) return refuse(400, 'expected src_addr, dst_addr, and at most protocol and dst_port');
  const { protocol, src_addr: source, dst_addr: destination, dst_port } = parsed.data;
  return { source, destination, port: dst_port?.toString(), protocol };
}

function readNetwork(name: string, target: unknown, fill: Fill | undefined): Fields | ParsedCommand {
  const parsed = parseAddress(typeof target === 'string' ? target : '');
  if (!parsed.ok || parsed.address.family !== (name === 'ipv4_net' ? 'inet' : 'inet6'))
    return refuse(400, `${name}: expected an address, or one with the length of its network`);
  const { destination, port, protocol } = fill ?? {};
  return { source: parsed.address.text, destination: destination?.text, port: port?.toString(), protocol };
}

function toDeny(fields: Fields, { duration, pf, ...given }: z.infer<typeof args>, firewalls: string[]): ParsedCommand {
  if (duration !== undefined && duration % 1000 !== 0) return refuse(501, 'duration: expected whole seconds');
  const request = toAlarmRequest({
    ...fields,
    protocol: fields.protocol ?? (fields.port === undefined ? 'any' : 'tcp/udp'),
    type: pf.drop_process === 'reject' ? 'reject' : 'block',
    description: pf.description,
    duration: duration === undefined ? undefined : `${duration / 1000}s`,
  });
  return { ok: true, command: { kind: 'deny', request, firewalls, response: given.response_requested } };
}

function readDelete(target: unknown, response: ResponseKind): ParsedCommand {
  const tracker = z.int().positive().safeParse(target);
  if (!tracker.success) return refuse(400, 'expected a rule number');
  return { ok: true, command: { kind: 'delete', tracker: tracker.data, response } };
}

function readFeatures(target: unknown, response: ResponseKind): ParsedCommand {
  const names = z.array(z.enum(featureNames)).max(10).safeParse(target);
  if (!names.success) return refuse(400, `expected a list of ${featureNames.join(', ')}`);
  return { ok: true, command: { kind: 'features', names: names.data, response } };
}

/** The language leaves the names of properties open, so that one which is unknown is not a mistake of the sender. */
function readProperties(target: unknown, response: ResponseKind): ParsedCommand {
  if (!z.array(z.string()).min(1).max(10).safeParse(target).success) return refuse(400, 'expected a list of names');
  const names = z.array(z.enum(propertyNames)).safeParse(target);
  if (!names.success) return refuse(501, `the properties that are supported: ${propertyNames.join(', ')}`);
  return { ok: true, command: { kind: 'properties', names: names.data, response } };
}
