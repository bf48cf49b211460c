import { readFileSync } from 'node:fs';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { CrowdsecConfig } from '../config/schema/feed-keys.js';
import { readSecret } from '../config/read-secret.js';

/** A list of 500,000 decisions is smaller. */
const maxBytes = 128 * 1024 * 1024;
const timeoutMs = 60_000;

type Settings = Pick<CrowdsecConfig, 'url' | 'key_file' | 'ca_file' | 'scenarios'>;

/**
 * Requests all decisions in force (`startup`), or what changed since the last request with this key.
 * @throws Error which says why it failed
 */
export async function requestDecisions(
  { url, key_file, ca_file, scenarios }: Settings,
  startup: boolean,
  stop: AbortSignal,
): Promise<string> {
  const target = new URL('/v1/decisions/stream', url);
  target.searchParams.set('startup', String(startup));
  if (scenarios.length > 0) target.searchParams.set('scenarios_containing', scenarios.join(','));
  const isTls = target.protocol === 'https:';
  const timeout = AbortSignal.timeout(timeoutMs);
  const options = {
    headers: { 'X-Api-Key': readSecret(key_file).trim(), 'User-Agent': 'firebreak' },
    signal: AbortSignal.any([stop, timeout]),
    agent: false,
    ...(ca_file !== undefined && { ca: readFileSync(ca_file) }),
  } as const;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      (isTls ? requestHttps : requestHttp)(target, options).once('response', resolve).once('error', reject).end();
    });
    return await readAnswer(response);
  } catch (error) {
    if (timeout.aborted) throw new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error });
    throw error instanceof AggregateError ? (error.errors[0] as unknown) : error; // one error for each address
  }
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const { statusCode = 0 } = response;
  if (statusCode !== 200) {
    response.destroy();
    const why = statusCode === 401 || statusCode === 403 ? ': the key is refused' : '';
    throw new Error(`the local API answered ${statusCode}${why}`);
  }
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
