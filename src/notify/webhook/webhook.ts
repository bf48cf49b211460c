import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readSecret } from '../../config/read-secret.js';
import type { WebhookConfig } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import { formatDuration } from '../../core/duration.js';
import type { Sending } from '../mail/smtp.js';
import { renderBody } from './webhook-body.js';

export interface OutgoingEvent {
  /** Stays the same at every try. */
  id: string;
  event: object;
}

/**
 * Posts one event to the webhook. Never throws for a server that is away or refuses: that is an answer. A redirect is
 * not followed, and a certificate always checked.
 * @param leave is asked when the connection stands; the event goes only if it says yes
 */
export async function sendWebhook(
  config: WebhookConfig,
  { id, event }: OutgoingEvent,
  leave: () => Promise<boolean>,
): Promise<Sending> {
  const way = { hasLeft: false };
  try {
    const call = prepare(config, id, renderBody(config.template, { id, ...event }));
    const { status, word } = await post(call, async () => {
      if (!(await leave())) throw new Error('another process sends it by now');
      way.hasLeft = true;
    });
    if (status >= 200 && status < 300) return { kind: 'sent', rejected: [] };
    const isBusy = status === 429 || status >= 500;
    return { kind: 'refused', reason: `the server answered ${describeAnswer(status, word)}`, isAway: isBusy };
  } catch (error) {
    return { kind: way.hasLeft ? 'unsure' : 'refused', reason: explain(error, config), isAway: true };
  }
}

/** Where it goes, for people: the rest of an address is often its secret. */
export function nameWebhook(config: WebhookConfig): string {
  try {
    return new URL(readUrl(config)).host;
  } catch {
    return 'its address';
  }
}

interface Call {
  url: URL;
  headers: Record<string, string>;
  body: string;
  ca: Buffer | undefined;
  timeoutMs: number;
}

function prepare(config: WebhookConfig, id: string, body: string): Call {
  const { ca_file, secret_file, headers_file, timeout } = config;
  const own: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'User-Agent': 'firebreak',
    'Firebreak-Delivery': id,
  };
  if (secret_file !== undefined) own['Firebreak-Signature'] = signBody(readSecret(secret_file), body, Date.now());
  return {
    url: new URL(readUrl(config)),
    headers: { ...own, ...(headers_file === undefined ? {} : readHeaders(headers_file)) },
    body,
    ca: ca_file === undefined ? undefined : readFileSync(ca_file),
    timeoutMs: timeout,
  };
}

/** `t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY`. The time is in it, so that nobody sends it again later. */
export function signBody(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

const readUrl = ({ url, url_file }: WebhookConfig): string =>
  url ?? (url_file === undefined ? '' : readSecret(url_file).trim());

/** `Name: value`, one a line. */
function readHeaders(file: string): Record<string, string> {
  const lines = readSecret(file).split('\n');
  const headers: Record<string, string> = {};
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [, name, value] = /^([A-Za-z0-9-]+):([\x20-\x7e\t]+)$/.exec(line.trim()) ?? [];
    // The line itself may be a secret, and is not told.
    if (name === undefined || value === undefined || value.trim() === '')
      throw new Error(`${file} line ${index + 1}: expected Name: value`);
    headers[name] = value.trim();
  }
  return headers;
}

interface Answer {
  status: number;
  /** A plain word of the server's, such as Slack's `invalid_blocks`; empty where it says more or nothing. */
  word: string;
}

/** @param leave is awaited when the connection stands; throws where the event is not to go */
async function post({ url, headers, body, ca, timeoutMs }: Call, leave: () => Promise<void>): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const isTls = url.protocol === 'https:';
  const options = { method: 'POST', headers, signal, agent: false, ...(ca !== undefined && { ca }) } as const;
  const call: ClientRequest = (isTls ? requestHttps : requestHttp)(url, options);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      call.once('error', reject);
      call.once('response', (response) => void readAnswer(response).then(resolve));
      call.once('socket', (socket) =>
        socket.once(isTls ? 'secureConnect' : 'connect', () => {
          leave().then(() => call.end(body), reject);
        }),
      );
    });
  } finally {
    call.on('error', () => undefined); // what is destroyed may complain once more
    call.destroy();
  }
}

const mostRead = 200;

/** The status is the answer; of what follows as much as is needed to know a plain word. */
async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  let text = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      text += String(part);
      if (text.length > mostRead) break;
    }
  } catch {
    text = ''; // it hung up, or took too long: the status was said
  }
  // An error page may repeat the address or a header, which are secrets.
  return { status, word: /^[a-z_ ]{1,60}$/i.test(text.trim()) ? text.trim() : '' };
}

function describeAnswer(status: number, word: string): string {
  if (status >= 300 && status < 400) return `${status}: a redirect, which is not followed`;
  return word === '' ? String(status) : `${status}: ${word}`;
}

function explain(error: unknown, { timeout }: WebhookConfig): string {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return `no answer within ${formatDuration(timeout)}`;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error; // each address was tried
  return error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL'
    ? 'its address is none: expected https://…'
    : describeError(first);
}
