import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readSecret } from '../../config/read-secret.js';
import type { WebhookConfig } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import { formatDuration } from '../../core/duration.js';
import type { BeforeSend, Delivery } from '../channel.js';
import { renderBody } from './webhook-body.js';

export interface OutgoingEvent {
  /** The same at every attempt. */
  id: string;
  event: object;
}

/**
 * Posts one event to the webhook. A redirect is not followed, and a certificate is always checked.
 * @param beforeSend is called when the connection is open
 */
export async function sendWebhook(
  config: WebhookConfig,
  { id, event }: OutgoingEvent,
  beforeSend: BeforeSend,
): Promise<Delivery> {
  const progress = { hasLeft: false };
  try {
    const call = prepare(config, id, renderBody(config.template, { id, ...event }));
    const { status, text } = await post(call, async () => {
      if (!(await beforeSend())) throw new Error('another process is sending it');
      progress.hasLeft = true;
    });
    if (status >= 200 && status < 300) return { kind: 'sent', rejected: [] };
    const isBusy = status === 429 || status >= 500;
    return { kind: 'refused', reason: `the server answered ${describeAnswer(status, text)}`, isUnreachable: isBusy };
  } catch (error) {
    return { kind: progress.hasLeft ? 'unconfirmed' : 'refused', reason: explain(error, config), isUnreachable: true };
  }
}

/** The host of the URL, for messages: the rest is often a secret. */
export function nameWebhook(config: WebhookConfig): string {
  try {
    return new URL(readUrl(config)).host;
  } catch {
    return 'its URL';
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
  const standard: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'User-Agent': 'firebreak',
    'Firebreak-Delivery': id,
  };
  if (secret_file !== undefined) standard['Firebreak-Signature'] = signBody(readSecret(secret_file), body, Date.now());
  return {
    url: new URL(readUrl(config)),
    headers: { ...standard, ...(headers_file === undefined ? {} : readHeaders(headers_file)) },
    body,
    ca: ca_file === undefined ? undefined : readFileSync(ca_file),
    timeoutMs: timeout,
  };
}

/** `t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY`. The time in it prevents a replay. */
export function signBody(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

const readUrl = ({ url, url_file }: WebhookConfig): string =>
  url ?? (url_file === undefined ? '' : readSecret(url_file).trim());

/** One `Name: value` in each line. */
function readHeaders(file: string): Record<string, string> {
  const lines = readSecret(file).split('\n');
  const headers: Record<string, string> = {};
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [, name, value] = /^([A-Za-z0-9-]+):([\x20-\x7e\t]+)$/.exec(line.trim()) ?? [];
    // The line is not quoted: it may be a secret.
    if (name === undefined || value === undefined || value.trim() === '')
      throw new Error(`${file} line ${index + 1}: expected a header such as "Name: value"`);
    headers[name] = value.trim();
  }
  return headers;
}

interface Answer {
  status: number;
  /** The server's answer if it is plain text, such as Slack's `invalid_blocks`; else empty. */
  text: string;
}

/** @param beforeSend is awaited when the connection is open; throws if the event must not be sent */
async function post({ url, headers, body, ca, timeoutMs }: Call, beforeSend: () => Promise<void>): Promise<Answer> {
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
          beforeSend().then(() => call.end(body), reject);
        }),
      );
    });
  } finally {
    call.on('error', () => undefined); // after destroy() it may emit one more
    call.destroy();
  }
}

const maxRead = 200;

/** Reads the status, and enough of the body to recognise a plain word. */
async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  let text = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      text += String(part);
      if (text.length > maxRead) break;
    }
  } catch {
    text = ''; // the server closed the connection or was too slow, after the status
  }
  // An error page may contain the address or a header, which are secrets.
  return { status, text: /^[a-z_ ]{1,60}$/i.test(text.trim()) ? text.trim() : '' };
}

function describeAnswer(status: number, text: string): string {
  if (status >= 300 && status < 400) return `${status}: a redirect, which is not followed`;
  return text === '' ? String(status) : `${status}: ${text}`;
}

function explain(error: unknown, { timeout }: WebhookConfig): string {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return `no answer within ${formatDuration(timeout)}`;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error; // one error for each address
  return error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL'
    ? 'the webhook URL is invalid: expected https://...'
    : describeError(first);
}
