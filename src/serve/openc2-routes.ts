import { limitDuration, withHostsOnly } from '../app/gateway-session.js';
import { release } from '../app/release.js';
import { waitForBlocks } from '../app/wait-for-blocks.js';
import { selectFirewalls } from '../config/select.js';
import { currentStates, type Block } from '../core/block.js';
import { exitCodeOfAll } from '../core/outcome.js';
import { permits } from '../core/token.js';
import { parseAlarm } from '../intake/alarm.js';
import {
  parseCommand,
  supportedPairs,
  type Command,
  type featureNames,
  type PropertyName,
  type ResponseKind,
} from '../intake/openc2.js';
import { newId } from '../ledger/new-id.js';
import { HttpError, toHttpError } from './http-error.js';
import { releaseById } from './operate-routes.js';
import type { Call, Reply, Route, Server } from './route.js';

/** How long a command with `response_requested: complete` is waited for. */
const waitMs = 60_000;

/** A response of OpenC2. */
interface Response {
  status: 102 | 200 | 400 | 403 | 404 | 500 | 501 | 503;
  status_text?: string;
  results?: object;
}

export const openC2: Route = {
  method: 'POST',
  path: '/openc2',
  summary: 'a command of OpenC2 1.0 (profile pf)',
  scope: 'alarm',
  request: { type: 'object', required: ['action', 'target'] },
  responses: { 400: 'not a command', 501: 'not supported' },
  handle: post,
};

async function post(call: Call, server: Server): Promise<Reply> {
  const parsed = parseCommand(await call.readJson(), server.app.config.serve.openc2.fill);
  if (!parsed.ok) return toReply({ status: parsed.status, status_text: parsed.text });
  const { command } = parsed;
  return toReply(await carefully(() => execute(command, call, server)), command.response);
}

/** An error as a response: the protocol has no other. */
async function carefully(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const known = toHttpError(error);
    if (known === undefined) throw error;
    const status = ([400, 403, 404, 503] as const).find((each) => each === known.status) ?? 500;
    const problems = known.problems.map(({ path, message }) => `${path}: ${message}`);
    return { status, status_text: problems.length > 0 ? problems.join('; ') : known.message };
  }
}

/** 102 is not the end of an exchange in HTTP, so the body alone says it. */
function toReply(response: Response, kind: ResponseKind = 'complete'): Reply {
  const status = response.status === 102 ? 200 : response.status;
  const headers = { 'Content-Type': 'application/openc2+json;version=1.0' };
  return kind === 'none' && status === 200 ? { status: 204, body: '' } : { status, body: response, headers };
}

function execute(command: Command, call: Call, server: Server): Promise<Response> {
  switch (command.kind) {
    case 'features':
      return Promise.resolve({ status: 200, results: featuresOf(command.names, server) });
    case 'properties':
      return Promise.resolve({ status: 200, results: { pf: propertiesOf(command.names, server) } });
    case 'deny':
      return deny(command, call, server);
    case 'delete':
      return remove(command, call);
  }
}

function featuresOf(names: readonly string[], { app }: Server): object {
  const all: Record<(typeof featureNames)[number], unknown> = {
    versions: ['1.0'],
    profiles: ['pf'],
    pairs: supportedPairs(app.config.serve.openc2.fill),
    rate_limit: app.config.serve.per_second * 60,
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

function propertiesOf(names: readonly PropertyName[], { app }: Server): object {
  const all: Record<PropertyName, unknown> = {
    hostname: selectFirewalls(app.config, []).map(([name]) => name),
    drop_process: ['none', 'reject'],
    direction: ['ingress'],
    persistent: [true],
  };
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

type Deny = Extract<Command, { kind: 'deny' }>;

async function deny({ request, firewalls, response }: Deny, call: Call, server: Server): Promise<Response> {
  const { app } = server;
  // As with a decision: a network needs more trust than an alarm, and is within policy.widest.
  const config = permits(call.sender.scope, 'operate') ? app.config : withHostsOnly(app.config);
  const unknown = firewalls.filter((each) => !Object.hasOwn(config.firewalls, each));
  if (unknown.length > 0) return { status: 404, status_text: 'there is no such firewall' };
  const alarm = parseAlarm(limitDuration(request, config.policy.longest, { warn: () => undefined }), config);
  const origin = `${call.sender.name}, by OpenC2 from ${call.address}`;
  const [recorded] = await server.queue.record([{ id: newId(), alarm, origin, firewalls }]);
  const blocks = recorded?.blocks ?? [];
  server.applier.kick(blocks.flatMap(({ dueAt, firewall }) => (dueAt === null ? [] : [firewall])));
  if (response === 'none' || response === 'ack') return describe(blocks, false);
  return describe(await waitForBlocks(blocks, waitMs, app), true);
}

/** The rule number belongs to the answer of a command that is complete. */
function describe(blocks: readonly Block[], isAwaited: boolean): Response {
  const reason = blocks.find((block) => block.reason !== null)?.reason ?? undefined;
  const text = reason === undefined ? {} : { status_text: reason };
  if (blocks.every(({ state }) => state === 'refused')) return { status: 403, ...text };
  if (blocks.some(({ state }) => state === 'held')) return { status: 102, ...text };
  const exit = exitCodeOfAll(blocks, { isAwaited });
  if (!isAwaited || exit === 8) return { status: 102 };
  if (exit !== 0) return { status: 500, ...text };
  const [rule] = blocks.map(({ tracker }) => tracker);
  return { status: 200, results: { pf: { rule_number: rule } } };
}

async function remove({ tracker }: Extract<Command, { kind: 'delete' }>, call: Call): Promise<Response> {
  if (!permits(call.sender.scope, 'operate'))
    throw new HttpError(403, 'forbidden', 'needs a token of the scope operate');
  const blocks = await call.app.ledger.findBlocks({ trackers: [tracker], states: currentStates });
  if (blocks.length === 0) return { status: 404, status_text: 'no rule has this number' };
  const answers = await Promise.all(blocks.map(({ id }) => release(releaseById(id), call.app)));
  const isReleased = answers.every((answer) => answer.blocks.every(({ state }) => state === 'released'));
  return isReleased ? { status: 200 } : { status: 500, status_text: 'recorded, and not released yet; it is retried' };
}
