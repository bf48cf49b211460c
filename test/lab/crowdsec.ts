import type { ServerResponse } from 'node:http';
import { startHookServer, type HookServer, type Posted } from './hook-server.js';

export interface Decision {
  readonly id: number;
  readonly value: string;
  readonly scope: string;
  readonly type: string;
  readonly duration: string;
  readonly until: string;
  readonly scenario: string;
  readonly origin: string;
  readonly simulated: boolean;
}

/** A local API of CrowdSec: one bouncer's key, and the stream of decisions. */
export interface LocalApi {
  readonly url: string;
  readonly requests: Posted[];
  /** Adds decisions: an address or a network, or a whole decision. */
  add(...values: (string | Partial<Decision>)[]): void;
  /** Deletes the decisions on these values. */
  remove(...values: string[]): void;
  /** What it answers instead; undefined: as it should. */
  fail(answer: ((response: ServerResponse) => void) | undefined): void;
  stop(): Promise<void>;
}

export const bouncerKey = '837be58e22a28738066de1be8f53636b';

/** @param port of one that stopped; a free one without it */
export async function startLocalApi(port = 0): Promise<LocalApi> {
  let current: Decision[] = [];
  let pulled = new Set<Decision>();
  let gone: Decision[] = [];
  let failure: ((response: ServerResponse) => void) | undefined;
  let last = 0;
  const toDecision = (given: string | Partial<Decision>): Decision => {
    const value = typeof given === 'string' ? given : (given.value ?? '');
    return {
      ...{ id: (last += 1), value, scope: value.includes('/') ? 'Range' : 'Ip', type: 'ban', duration: '3h59m49.1s' },
      ...{ until: '2099-01-01T00:00:00Z', scenario: 'crowdsecurity/ssh-bf', origin: 'crowdsec', simulated: false },
      ...(typeof given === 'object' && given),
    };
  };
  const answer = (response: ServerResponse, { headers, path }: Posted): void => {
    if (failure !== undefined) return failure(response);
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    const status = headers['x-api-key'] !== bouncerKey ? 403 : pathname === '/v1/decisions/stream' ? 200 : 404;
    response.writeHead(status, { 'Content-Type': 'application/json' });
    if (status !== 200) return void response.end('{"message":"access forbidden"}');
    const isWhole = searchParams.get('startup') === 'true';
    const added = isWhole ? current : current.filter((each) => !pulled.has(each));
    const deleted = gone.map((each) => ({ ...each, duration: '-1.2s' }));
    [pulled, gone] = [new Set(current), []];
    // The real one answers null where it has none.
    response.end(
      JSON.stringify({ new: added.length > 0 ? added : null, deleted: deleted.length > 0 ? deleted : null }),
    );
  };
  const server: HookServer = await startHookServer(answer, undefined, port);
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests: server.posted,
    add: (...values) => void (current = [...current, ...values.map(toDecision)]),
    remove: (...values) => {
      const removed = new Set(values);
      gone = [...gone, ...current.filter(({ value }) => removed.has(value))];
      current = current.filter(({ value }) => !removed.has(value));
    },
    fail: (how) => void (failure = how),
    stop: () => server.stop(),
  };
}
