import { createHash } from 'node:crypto';
import type { QueuedAlarm, RecordedAlarm } from '../app/alarm-queue.js';
import { limitDuration, withHostsOnly } from '../app/gateway-session.js';
import { findRun } from '../app/submit.js';
import { waitForBlocks } from '../app/wait-for-blocks.js';
import type { ServeConfig } from '../config/schema/serve-keys.js';
import { presetNames } from '../config/schema/serve-keys.js';
import { parseDuration } from '../core/duration.js';
import { FirebreakError, type Problem } from '../core/errors.js';
import { parseAlarm, type Alarm } from '../intake/alarm.js';
import { jsonPathOf, placeOf, readAlarms, type HttpAlarms } from '../intake/http-alarms.js';
import { mappingOf } from '../intake/http-presets.js';
import { newId } from '../ledger/new-id.js';
import { answerToJson } from '../views/json.js';
import { describeAll, HttpError } from './http-error.js';
import { json, type Call, type Reply, type Route, type Server } from './route.js';

type Source = ServeConfig['sources'][string];

/** A source that is not configured is the preset of its name. */
const usual: Omit<Source, 'preset'> = { when: [], firewalls: [], auth: { token: 'header' } };

export function findSource(name: string, { sources }: Pick<ServeConfig, 'sources'>): Source | undefined {
  if (Object.hasOwn(sources, name)) return sources[name];
  const preset = presetNames.find((each) => each === name);
  return preset && { ...usual, preset };
}

function getSource(name: string, { app }: Server): Source {
  const source = findSource(name, app.config.serve);
  if (source !== undefined) return source;
  throw new HttpError(404, 'source_unknown', 'there is no such source; see serve.sources in firebreak.yml');
}

/** The most that a request may wait. */
const maxWaitMs = 60_000;

export const postAlarms: Route = {
  method: 'POST',
  path: '/api/v1/alarms/{source}',
  summary: 'block the sources of one alarm, or of a list of alarms',
  scope: 'alarm',
  query: { wait: 'how long to wait for the proof, such as 10s' },
  request: {
    oneOf: [{ $ref: '#/components/schemas/Alarm' }, { type: 'array', items: { $ref: '#/components/schemas/Alarm' } }],
  },
  responses: {
    200: 'with wait: the state of each block',
    202: 'recorded: the ids',
    403: 'refused by the policy, or by the scope of the token',
    409: 'held for approval',
  },
  require: ({ source = '' }, server) => ({ source: { name: source, auth: getSource(source, server).auth } }),
  handle: post,
};

async function post(call: Call, server: Server): Promise<Reply> {
  const { app } = server;
  const name = call.params['source'] ?? '';
  const source = getSource(name, server);
  const waitMs = readWait(call.query);
  const body = await call.readJson();
  const parsed = readAlarms(body, mappingOf(source));
  const alarms = parseAll(parsed, Array.isArray(body), server);
  const makeId = idsOf(call, name, body);
  const origin = `${call.sender.name}, by http from ${call.address}`;
  const queued: QueuedAlarm[] = alarms.map((alarm, index) => ({
    id: makeId(index),
    alarm,
    origin,
    firewalls: source.firewalls,
  }));
  const recorded = await server.queue.record(queued);
  server.applier.kick(
    recorded.flatMap(({ blocks }) => blocks.flatMap((block) => (block.dueAt === null ? [] : block.firewall))),
  );
  const isSingle = recorded.length === 1 && parsed.skipped === 0;
  const skipped = parsed.skipped > 0 ? { skipped: parsed.skipped } : {};
  const refusal = isSingle ? refusalOf(recorded[0]) : undefined;
  if (refusal !== undefined) return refusal;
  if (waitMs === undefined) return json(202, { alarms: recorded.map(toIds), ...skipped });
  const answers = await Promise.all(recorded.map((each) => awaitAlarm(each, waitMs, app)));
  return json(200, { alarms: answers, ...skipped });
}

function readWait(query: URLSearchParams): number | undefined {
  const text = query.get('wait');
  if (text === null) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms !== null && ms <= maxWaitMs) return ms;
  const problems = [{ path: 'wait', message: 'expected a time such as 10s, at most 60s' }];
  throw new HttpError(400, 'usage', { message: describeAll(problems), problems });
}

/** @throws HttpError 400 with the problems of all */
function parseAll(parsed: HttpAlarms, isList: boolean, { app }: Server): Alarm[] {
  const config = withHostsOnly(app.config);
  const problems: Problem[] = [...parsed.problems];
  const alarms = parsed.requests.flatMap((request, index): Alarm[] => {
    if (request === undefined) return [];
    try {
      return [parseAlarm(limitDuration(request, config.policy.longest, { warn: () => undefined }), config)];
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      problems.push(
        ...error.problems.map(({ path, message }) => ({ path: placeOf(jsonPathOf(path), index, isList), message })),
      );
      return [];
    }
  });
  if (problems.length > 0) throw new HttpError(400, 'alarm_invalid', { message: describeAll(problems), problems });
  return alarms;
}

/** Ids of the request's alarms: with an Idempotency-Key the same for the same request, however often it is sent. */
function idsOf({ headers, sender }: Call, source: string, body: unknown): (index: number) => string {
  const key = headers.get('idempotency-key');
  if (key === null) return () => newId();
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new HttpError(400, 'usage', 'Idempotency-Key: expected 1 to 255 printable characters');
  const text = JSON.stringify([sender.name, source, key, body]);
  return (index) => toId(createHash('sha256').update(`${index} ${text}`).digest());
}

/** 26 characters of the alphabet of a ULID. */
const toId = (hash: Buffer): string =>
  [...hash.subarray(0, 26)].map((byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte % 32]).join('');

const toIds = ({ id, blocks, repeated }: RecordedAlarm): object => ({
  alarm: id,
  blocks: blocks.map((block) => ({
    id: block.id,
    firewall: block.firewall,
    state: block.state,
    ...(repeated.includes(block.id) && { repeated: true }),
  })),
});

/** The answer to a single alarm of which nothing is to be applied. */
function refusalOf(recorded: RecordedAlarm | undefined): Reply | undefined {
  if (recorded === undefined || recorded.blocks.length === 0) return undefined;
  for (const [state, status] of [
    ['refused', 403],
    ['held', 409],
  ] as const) {
    if (!recorded.blocks.every((block) => block.state === state)) continue;
    const message = recorded.blocks[0]?.reason ?? state;
    return json(status, { error: { code: state, message }, alarms: [toIds(recorded)] });
  }
  return undefined;
}

async function awaitAlarm({ id, blocks, repeated }: RecordedAlarm, ms: number, app: Server['app']): Promise<object> {
  const current = await waitForBlocks(blocks, ms, app);
  const run = await findRun(blocks, current, app.ledger);
  const requiredProof = app.config.policy.require_proof;
  return answerToJson({ alarm: id, check: false, isAwaited: true, requiredProof, blocks: current, run, repeated });
}
