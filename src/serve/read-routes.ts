import { createHash } from 'node:crypto';
import { listBlocks, readDetails } from '../app/list.js';
import { readStatus } from '../app/status.js';
import { readLastEntries } from '../app/verify-audit.js';
import { readFeedState } from '../config/feed-state.js';
import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import type { Block } from '../core/block.js';
import { parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { blockToJson, toTime } from '../views/json.js';
import { metricsType, plainMetricsType, toOpenMetrics, toPlainMetrics } from '../views/open-metrics.js';
import { detailsToJson } from '../views/show.js';
import { historyToJson } from '../views/stats-json.js';
import { statusToJson } from '../views/status-screen.js';
import { HttpError } from './http-error.js';
import { json, type Call, type Reply, type Route, type Server } from './route.js';

const usualLimit = 100;
const maxLimit = 1000;

/** @throws HttpError 400 */
function readLimit(query: URLSearchParams): number {
  const text = query.get('limit') ?? String(usualLimit);
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= maxLimit) return Number(text);
  throw new HttpError(400, 'usage', `limit: expected 1-${maxLimit}, got ${quoteBack(text)}`);
}

const paging = { limit: `how many, at most ${maxLimit}; default ${usualLimit}` };

async function getBlocks({ query, app }: Call): Promise<Reply> {
  const limit = readLimit(query);
  const read = await listBlocks(
    {
      state: query.get('state') ?? undefined,
      source: query.get('source') ?? undefined,
      firewalls: query.getAll('firewall'),
      tags: query.getAll('tag'),
      after: query.get('after') ?? undefined,
    },
    app,
  );
  const found: Block[] = [];
  for await (const page of read()) {
    found.push(...page);
    if (found.length > limit) break;
  }
  const shown = found.slice(0, limit);
  return json(200, { blocks: shown.map(blockToJson), next: found.length > limit ? (shown.at(-1)?.id ?? null) : null });
}

async function getBlock({ params, app }: Call): Promise<Reply> {
  const id = params['id'] ?? '';
  const [details] = parseAddress(id).ok ? [] : await readDetails(id, app);
  if (details === undefined) throw new FirebreakError('block_unknown', 'expected the id of a block');
  return json(200, { ...detailsToJson(details), record: undefined }); // a path of this host
}

async function getAlarms({ query, app }: Call): Promise<Reply> {
  const limit = readLimit(query);
  const alarms = await app.ledger.findLatestAlarms(limit, query.get('before') ?? undefined);
  const shown = alarms.map(({ id, receivedAt, origin, context }) => ({
    ...{ alarm: id, received_at: toTime(receivedAt), origin, context },
  }));
  return json(200, { alarms: shown, next: alarms.length === limit ? (alarms.at(-1)?.id ?? null) : null });
}

async function getReport({ query, app }: Call): Promise<Reply> {
  const text = query.get('since') ?? '24h';
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new HttpError(400, 'usage', `since: expected a duration such as 24h, got ${quoteBack(text)}`);
  const since = ms === null ? 0 : (await app.ledger.now()) - ms;
  return json(200, historyToJson(await app.ledger.findHistory(since)));
}

async function getMetrics({ headers }: Call, { app, startedAt }: Server): Promise<Reply> {
  const { ledger, config } = app;
  const metrics = {
    counts: await ledger.findCounts(startedAt),
    overview: await ledger.findOverview(Object.keys(config.firewalls)),
    isFrozen: (await ledger.findFreeze()) !== undefined,
    feed: readFeedState(config),
  };
  const accepted = headers.get('accept') ?? '';
  return accepted.includes('text/plain') && !accepted.includes('openmetrics')
    ? { status: 200, body: toPlainMetrics(metrics), headers: { 'Content-Type': plainMetricsType } }
    : { status: 200, body: toOpenMetrics(metrics), headers: { 'Content-Type': metricsType } };
}

/** The sources in force, one a line, by the name of the list. */
const lists: Readonly<Record<string, (source: string) => boolean>> = {
  'blocked.txt': () => true,
  'blocked-ipv4.txt': (source) => !source.includes(':'),
  'blocked-ipv6.txt': (source) => source.includes(':'),
};

async function getList({ params, query: search, headers, app }: Call): Promise<Reply> {
  const file = params['file'] ?? '';
  const isListed = Object.hasOwn(lists, file) ? lists[file] : undefined;
  if (isListed === undefined) throw new HttpError(404, 'not_found', `expected ${Object.keys(lists).join(', ')}`);
  const named = search.getAll('firewall');
  const query = {
    states: ['active'] as const,
    ...(named.length > 0 && { firewalls: selectFirewalls(app.config, named).map(([name]) => name) }),
  };
  let body = '';
  for await (const page of app.ledger.readSources(query))
    for (const source of page) if (isListed(source)) body += `${source}\n`;
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const isKnown = (headers.get('if-none-match') ?? '').split(/, */).some((each) => each.replace(/^W\//, '') === tag);
  return { status: isKnown ? 304 : 200, body, headers: { ETag: tag, 'Cache-Control': 'no-cache' } };
}

const get = (path: string, summary: string, rest: Pick<Route, 'handle'> & Partial<Route>): Route => ({
  ...{ method: 'GET', path, summary, scope: 'read' },
  ...rest,
});

export const readRoutes: readonly Route[] = [
  get('/api/v1/blocks', 'current blocks, in the order of their first request', {
    query: {
      state: 'only this state; all includes past blocks',
      source: 'only this source, what is inside it, and what covers it',
      firewall: 'only this firewall; repeatable',
      tag: 'only blocks with this tag; repeatable: with all of them',
      after: 'only blocks after this id: `next` of the previous page',
      ...paging,
    },
    handle: getBlocks,
  }),
  get('/api/v1/blocks/{id}', 'one block with its alarms', { handle: getBlock }),
  get('/api/v1/alarms', 'the latest alarms, newest first', {
    query: { before: 'only alarms before this id: `next` of the previous page', ...paging },
    handle: getAlarms,
  }),
  get('/api/v1/firewalls', 'how things are: each firewall, messages, freeze', {
    handle: async ({ app }) => json(200, statusToJson(await readStatus(app))),
  }),
  get('/api/v1/report', 'recent activity', { query: { since: 'how far back, such as 24h' }, handle: getReport }),
  get('/api/v1/audit', 'the latest decisions', {
    query: paging,
    handle: async ({ query, app }) => json(200, { entries: await readLastEntries(readLimit(query), [], app) }),
  }),
  get('/lists/{file}', 'the addresses of active blocks, one a line, for other firewalls', {
    query: { firewall: 'only blocks of this firewall; repeatable' },
    handle: getList,
  }),
  get('/metrics', 'figures in OpenMetrics', { handle: getMetrics }),
];
