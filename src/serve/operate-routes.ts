import { commentOnBlock, extendBlock } from '../app/amend.js';
import { toDuration } from '../app/allow.js';
import { decide } from '../app/decide.js';
import { release, type ReleaseOptions } from '../app/release.js';
import { parseAddress } from '../core/address.js';
import type { Block } from '../core/block.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { answerToJson, blockToJson } from '../views/json.js';
import { HttpError } from './http-error.js';
import { json, type Call, type Reply, type Route } from './route.js';

/** The text fields of the body, of which `optional` may be missing. @throws HttpError 400 */
async function readFields(
  { readJson }: Call,
  { required = [], optional = [] }: { required?: readonly string[]; optional?: readonly string[] },
): Promise<Readonly<Record<string, string>>> {
  const body = await readJson();
  const fields = typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.entries(body) : [];
  const problems = [
    ...required.filter((name) => !fields.some(([key]) => key === name)).map((path) => ({ path, message: 'missing' })),
    ...fields.flatMap(([path, value]: [string, unknown]) => {
      if (![...required, ...optional].includes(path)) return [{ path, message: 'unknown field' }];
      return typeof value === 'string' ? [] : [{ path, message: `expected text, got ${quoteBack(value)}` }];
    }),
  ];
  if (problems.length > 0) throw new HttpError(400, 'usage', { message: 'the body has problems', problems });
  return Object.fromEntries(fields);
}

/** @throws FirebreakError block_unknown if it is an address, which names any number of blocks */
function idOf({ params }: Call): string {
  const id = params['id'] ?? '';
  if (parseAddress(id).ok) throw new FirebreakError('block_unknown', 'expected the id of a block');
  return id;
}

const one = (block: Block): Reply => json(200, { blocks: [{ ...blockToJson(block), comment: block.comment }] });

/** Releases one block, and waits for the proof. */
export const releaseById = (id: string): ReleaseOptions => ({
  ...{ targets: [id], firewalls: [], check: false, wait: true },
});

async function remove(call: Call): Promise<Reply> {
  const grace = call.query.get('grace') ?? undefined;
  return json(200, answerToJson(await release({ ...releaseById(idOf(call)), grace }, call.app)));
}

async function allow(call: Call): Promise<Reply> {
  const { duration = 'forever', reason = '' } = await readFields(call, {
    required: ['reason'],
    optional: ['duration'],
  });
  const options = { ...releaseById(idOf(call)), allow: [duration, reason] };
  return json(200, answerToJson(await release(options, call.app)));
}

async function extend(call: Call): Promise<Reply> {
  const { duration = '' } = await readFields(call, { required: ['duration'] });
  return one(await extendBlock(idOf(call), toDuration('duration', duration), call.app));
}

async function comment(call: Call): Promise<Reply> {
  const { text = '' } = await readFields(call, { required: ['text'] });
  return one(await commentOnBlock(idOf(call), text, call.app));
}

const text = (...names: string[]): object => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});

const operate = (action: string, summary: string, rest: Pick<Route, 'handle'> & Partial<Route>): Route => ({
  ...{ method: 'POST', path: `/api/v1/blocks/{id}/${action}`, summary, scope: 'operate' },
  ...rest,
});

export const operateRoutes: readonly Route[] = [
  {
    ...{ method: 'DELETE', path: '/api/v1/blocks/{id}', summary: 'release a block, and prove it', scope: 'operate' },
    query: { grace: 'for how long its source is not blocked again' },
    handle: remove,
  },
  ...(['approve', 'reject', 'retry'] as const).map((decision) =>
    operate(decision, `${decision} a block`, {
      handle: async (call) => json(200, answerToJson(await decide(decision, idOf(call), call.app))),
    }),
  ),
  operate('extend', 'let a block end later', { request: text('duration'), handle: extend }),
  operate('comment', 'replace the note of a block', { request: text('text'), handle: comment }),
  operate('allow', 'release a block, and never block its source again', {
    request: text('reason', 'duration'),
    handle: allow,
  }),
];
