import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Role, WebSession } from '../../core/role.js';
import type { Server } from '../route.js';

/** A session is recorded as used at most this often. */
const touchEveryMs = 60_000;

const isLocalHost = (host: string): boolean => /^(?:127\.[0-9.]+|localhost|\[::1\])(?::\d+)?$/.test(host);

/** Whether browsers reach this server by HTTPS: they drop a cookie for HTTPS otherwise, which plain HTTP on the loopback needs. */
function isSecure({ app }: Server, headers: Headers): boolean {
  const { tls, page } = app.config.serve;
  if (tls !== undefined || page.url?.startsWith('https:') === true) return true;
  return !isLocalHost(headers.get('host') ?? '');
}

const nameOf = (secure: boolean): string => (secure ? '__Host-firebreak' : 'firebreak');

/** @param value empty ends the cookie */
export function sessionCookie(server: Server, headers: Headers, value: string): string {
  const secure = isSecure(server, headers);
  const end = value === '' ? ['Max-Age=0'] : [];
  const flags = ['Path=/', ...(secure ? ['Secure'] : []), 'HttpOnly', 'SameSite=Strict', ...end];
  return [`${nameOf(secure)}=${value}`, ...flags].join('; ');
}

/** How long a login by OpenID Connect may take. */
const loginSeconds = 600;
const loginNameOf = (secure: boolean): string => `${nameOf(secure)}-login`;

/** The cookie of a login at another site. That site leads the browser back, so it is sent for such a request too. */
export function loginCookie(server: Server, headers: Headers, secret: string): string {
  const secure = isSecure(server, headers);
  const flags = ['Path=/', ...(secure ? ['Secure'] : []), 'HttpOnly', 'SameSite=Lax', `Max-Age=${loginSeconds}`];
  return [`${loginNameOf(secure)}=${secret}`, ...flags].join('; ');
}

export const readLoginSecret = (server: Server, headers: Headers): string | undefined =>
  readCookie(headers, loginNameOf(isSecure(server, headers)));

export function readCookie(headers: Headers, name: string): string | undefined {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const [key = '', value = ''] = pair.trim().split('=', 2);
    if (key === name && /^[\w-]{43}$/.test(value)) return value;
  }
  return undefined;
}

const hashSession = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** A value that follows from a secret, and does not tell it: 43 letters, digits, `-` or `_`. */
export const deriveFrom = (secret: string, subject: string): string =>
  createHmac('sha256', secret).update(subject).digest('base64url');

/** What the forms of a session contain, so that no other site can send them. */
const csrfOf = (secret: string): string => deriveFrom(secret, 'csrf');

/** Begins a session. @returns its cookie, its hash and its CSRF token */
export async function beginSession(
  person: { name: string; role: Role; via: string; address: string },
  headers: Headers,
  server: Server,
): Promise<{ cookie: string; hash: string; csrf: string }> {
  const secret = randomBytes(32).toString('base64url');
  const { ledger, config } = server.app;
  const actor = `${person.name}, by web from ${person.address}`;
  const hash = hashSession(secret);
  await ledger.as(actor).addWebSession({ ...person, hash, forMs: config.serve.page.session });
  return { cookie: sessionCookie(server, headers, secret), hash, csrf: csrfOf(secret) };
}

/** The session of a request, and its CSRF token. */
export async function findSession(
  headers: Headers,
  server: Server,
): Promise<{ session: WebSession; csrf: string } | undefined> {
  const secret = readCookie(headers, nameOf(isSecure(server, headers)));
  if (secret === undefined) return undefined;
  const { ledger, config } = server.app;
  const hash = hashSession(secret);
  const session = await ledger.findWebSession(hash, config.serve.page.idle);
  if (session === undefined) return undefined;
  if ((await ledger.now()) - session.seenAt > touchEveryMs) await ledger.touchWebSession(hash);
  return { session, csrf: csrfOf(secret) };
}
