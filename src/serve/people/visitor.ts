import { isPersonName } from '../../app/people.js';
import type { Role } from '../../core/role.js';
import { isTrustedProxy } from '../client-address.js';
import { HttpError } from '../http-error.js';
import type { Call, Server } from '../route.js';
import { beginSession, findSession } from './login-session.js';

/** The person that a session belongs to. */
export interface Visitor {
  name: string;
  role: Role;
  /** For the hidden field `csrf` of each form. */
  csrf: string;
  /** The hash of the session. */
  session: string;
}

/** Who sent a request, and the cookie of a session that began with it. */
export interface Arrival {
  visitor: Visitor;
  cookie?: string;
}

/**
 * Who has logged in, or whom a trusted proxy names: that person's session begins with the first request.
 * @throws HttpError 403 for a name without a role
 */
export async function findVisitor(call: Call, server: Server): Promise<Arrival | undefined> {
  const named = findNamed(call, server);
  const found = await findSession(call.headers, server);
  if (named === undefined) {
    // Whoever came by the proxy is logged out where it sends no name.
    if (found === undefined || found.session.via === 'proxy') return undefined;
    const { name, role, hash } = found.session;
    return { visitor: { name, role, csrf: found.csrf, session: hash } };
  }
  if (found?.session.via === 'proxy' && found.session.name === named.name)
    return { visitor: { ...named, csrf: found.csrf, session: found.session.hash } };
  const person = { ...named, via: 'proxy', address: call.address };
  const { cookie, csrf, hash } = await beginSession(person, call.headers, server);
  return { visitor: { ...named, csrf, session: hash }, cookie };
}

function findNamed({ headers, peer }: Call, { app }: Server): Pick<Visitor, 'name' | 'role'> | undefined {
  const { trusted_proxies, page } = app.config.serve;
  if (page.proxy_header === undefined || !isTrustedProxy(peer, trusted_proxies)) return undefined;
  const { name: header, roles, default_role } = page.proxy_header;
  const name = (headers.get(header) ?? '').trim().toLowerCase();
  if (name === '') return undefined;
  if (!isPersonName(name)) throw new HttpError(403, 'forbidden', `${header} is not the name of one person`);
  const role = Object.hasOwn(roles, name) ? roles[name] : default_role;
  if (role === undefined)
    throw new HttpError(403, 'forbidden', `${name} has no role here; add one to serve.page.proxy_header.roles`);
  return { name, role };
}
