import * as z from 'zod';
import { toAlarmRequest } from './fields.js';
import type { AlarmRequest } from './alarm.js';

/**
 * Commands of OpenC2 1.0 with the actuator profile for packet filtering (OASIS). What a command asks for is done as
 * it says, or it is refused: an argument that is not supported is never ignored.
 */
export type Command =
  | { kind: 'deny'; request: AlarmRequest; firewalls: string[]; response: ResponseKind }
  | { kind: 'delete'; tracker: number; response: ResponseKind }
  | { kind: 'features'; names: string[]; response: ResponseKind };

export const responseKinds = ['none', 'ack', 'status', 'complete'] as const;
export type ResponseKind = (typeof responseKinds)[number];

/** A command, or the status and the text that answer it. */
export type ParsedCommand = { ok: true; command: Command } | { ok: false; status: 400 | 501; text: string };

/** What `query features` answers. */
export const pairs = {
  deny: ['ipv4_connection', 'ipv6_connection'],
  delete: ['pf:rule_number'],
  query: ['features'],
} as const;

export const featureNames = ['versions', 'profiles', 'pairs', 'rate_limit'] as const;

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
export function parseCommand(document: unknown): ParsedCommand {
  const parsed = frame.safeParse(unwrap(document));
  if (!parsed.success) return refuse(400, 'expected an action, one target, and at most args, actuator and command_id');
  const { action, target } = parsed.data;
  const [name = ''] = Object.keys(target);
  const targets = Object.hasOwn(pairs, action) ? pairs[action as keyof typeof pairs] : undefined;
  if (targets === undefined) return refuse(501, 'this action is not supported; query features lists those that are');
  if (!targets.some((each) => each === name))
    return refuse(501, 'this target is not supported; query features lists those that are');
  const given = args.safeParse(parsed.data.args);
  const place = actuator.safeParse(parsed.data.actuator);
  if (!given.success) return refuse(501, `args: ${describe(given.error)}`);
  if (!place.success) return refuse(501, `actuator: ${describe(place.error)}`);
  const { response_requested: response } = given.data;
  if (action === 'query') return readQuery(target[name], response);
  if (action === 'delete') return readDelete(target[name], response);
  const { hostname, asset_id } = place.data.pf;
  const firewalls = [hostname, asset_id].flatMap((each) => each ?? []);
  return readDeny(target[name], given.data, firewalls);
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

function readDeny(target: unknown, given: z.infer<typeof args>, firewalls: string[]): ParsedCommand {
  if (typeof target === 'object' && target !== null && 'src_port' in target)
    return refuse(501, 'src_port is not supported: a block concerns every source port');
  const parsed = connection.safeParse(target);
  if (!parsed.success) return refuse(400, 'expected src_addr, dst_addr, and at most protocol and dst_port');
  const { protocol, src_addr, dst_addr, dst_port } = parsed.data;
  const { duration, pf } = given;
  if (duration !== undefined && duration % 1000 !== 0) return refuse(501, 'duration: expected whole seconds');
  const request = toAlarmRequest({
    source: src_addr,
    destination: dst_addr,
    port: dst_port === undefined ? undefined : String(dst_port),
    protocol: protocol ?? (dst_port === undefined ? 'any' : 'tcp/udp'),
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

function readQuery(target: unknown, response: ResponseKind): ParsedCommand {
  const names = z.array(z.enum(featureNames)).max(10).safeParse(target);
  if (!names.success) return refuse(400, `expected a list of ${featureNames.join(', ')}`);
  return { ok: true, command: { kind: 'features', names: names.data, response } };
}
