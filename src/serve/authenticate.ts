import { createHmac, timingSafeEqual } from 'node:crypto';
import { readSecret } from '../config/read-secret.js';
import type { ServeConfig } from '../config/schema/serve-keys.js';
import { hashToken, isFromNetwork, permits, type Token, type TokenScope } from '../core/token.js';
import type { Ledger } from '../ledger/ledger.js';
import { HttpError } from './http-error.js';

type Auth = ServeConfig['sources'][string]['auth'];

/** What a request says of its sender. */
export interface Credentials {
  headers: Headers;
  url: URL;
  /** The caller's address. */
  address: string;
  /** The common name of a client certificate that an authority of ours has signed. */
  certificate: string | undefined;
  readBody: () => Promise<Buffer>;
}

/** What a route requires of it. */
export interface Requirement {
  scope: TokenScope;
  /** The source whose alarms it posts, and how these are authenticated. */
  source?: { name: string; auth: Auth };
  /** Accepts a token in the URL. */
  takesUrlToken?: boolean;
}

/** An authenticated sender: `token soc`, `certificate siem.example.org`, `signature of graylog`. */
export interface Sender {
  name: string;
  scope: TokenScope;
}

/** @throws HttpError 401, 403 */
export async function authenticate(
  credentials: Credentials,
  requirement: Requirement,
  ledger: Pick<Ledger, 'findToken'>,
): Promise<Sender> {
  const { source } = requirement;
  const { certificate } = credentials;
  if (certificate !== undefined && source?.auth.certificate?.includes(certificate) === true)
    return { name: `certificate ${certificate}`, scope: 'alarm' };
  if (source?.auth.hmac !== undefined && (await isSigned(credentials, source.auth.hmac)))
    return { name: `signature of ${source.name}`, scope: 'alarm' };
  const isUrlAllowed = requirement.takesUrlToken === true || source?.auth.token === 'url';
  const secret = source?.auth.token === 'none' ? undefined : findSecret(credentials, isUrlAllowed);
  const token = secret === undefined ? undefined : await ledger.findToken(hashToken(secret));
  if (token === undefined) throw new HttpError(401, 'unauthorized', 'expected the header Authorization: Bearer TOKEN');
  assertPermitted(token, requirement, credentials.address);
  return { name: `token ${token.name}`, scope: token.scope };
}

function assertPermitted(token: Token, { scope, source }: Requirement, address: string): void {
  if (!isFromNetwork(token, address))
    throw new HttpError(403, 'forbidden', `token ${token.name} may not be used from ${address}`);
  if (!permits(token.scope, scope))
    throw new HttpError(403, 'forbidden', `token ${token.name} has the scope ${token.scope}, not ${scope}`);
  if (token.source !== null && token.source !== source?.name)
    throw new HttpError(403, 'forbidden', `token ${token.name} is only for alarms of ${token.source}`);
}

/** A bearer token, or the password of basic authentication, which some senders can send only. */
function findSecret({ headers, url }: Credentials, isUrlAllowed: boolean): string | undefined {
  const [scheme = '', value = ''] = (headers.get('authorization') ?? '').split(' ');
  if (/^bearer$/i.test(scheme)) return value;
  if (/^basic$/i.test(scheme)) return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':');
  return isUrlAllowed ? (url.searchParams.get('token') ?? undefined) : undefined;
}

/** Compares signatures in constant time. A signed time protects from replay, an unsigned one does not count. */
async function isSigned(
  { headers, readBody }: Credentials,
  { secret_file, header, algorithm, encoding, timestamp_header, window }: NonNullable<Auth['hmac']>,
): Promise<boolean> {
  const given = headers.get(header);
  if (given === null) return false;
  const time = timestamp_header === undefined ? undefined : (headers.get(timestamp_header) ?? '');
  if (time !== undefined && !(Math.abs(Number(time) * 1000 - Date.now()) <= window && time !== '')) return false;
  const hmac = createHmac(algorithm, readSecret(secret_file));
  if (time !== undefined) hmac.update(`${time}.`);
  const expected = hmac.update(await readBody()).digest();
  const signature = Buffer.from(given.replace(/^[a-z0-9-]+=(?=.)/i, ''), encoding);
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
