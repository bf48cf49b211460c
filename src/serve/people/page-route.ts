import { createHash, timingSafeEqual } from 'node:crypto';
import { includesRole, type Role } from '../../core/role.js';
import type { App } from '../../runtime/app.js';
import { HttpError } from '../http-error.js';
import { html, seeOther } from '../page/html.js';
import type { Call, Reply, Route, Server } from '../route.js';
import { explainAsPage, readForm } from './open-page.js';
import { findVisitor, type Visitor } from './visitor.js';

export type { Role } from '../../core/role.js';
export type { Visitor } from './visitor.js';

export interface PageCall {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** Of a POST, already checked; empty for a GET. */
  form: URLSearchParams;
  headers: Headers;
  visitor: Visitor;
  address: string;
  /** The application, whose audit log names the visitor. */
  app: App;
}

export interface Page {
  method: 'GET' | 'POST';
  /** `/blocks/{id}` */
  path: string;
  /** What a visitor needs. */
  role: Role;
  handle: (call: PageCall, server: Server) => Promise<Reply>;
}

/**
 * A page for people who are logged in. Without a session a GET leads to the login and a POST gets 401; a role that is
 * too low, or a form that is not of this session, gets 403.
 */
export const toRoute = (page: Page): Route => ({
  ...{ method: page.method, path: page.path, summary: 'a page', scope: null },
  handle: async (call, server) => {
    let visitor: Visitor | undefined;
    let cookie: string | undefined;
    const withCookie = (reply: Reply): Reply =>
      cookie === undefined ? reply : { ...reply, headers: { 'Set-Cookie': cookie, ...reply.headers } };
    try {
      ({ visitor, cookie } = (await findVisitor(call, server)) ?? {});
      if (visitor === undefined && page.method === 'GET') return toLogin(page, call);
      return withCookie(await handlePage(page, { call, visitor }, server));
    } catch (error) {
      return withCookie(await explainAsPage(error, server.app, visitor));
    }
  },
});

async function handlePage(
  page: Page,
  { call, visitor }: { call: Call; visitor: Visitor | undefined },
  server: Server,
): Promise<Reply> {
  if (visitor === undefined) throw new HttpError(401, 'unauthorized', 'log in, then send the form again');
  const form = page.method === 'POST' ? await readForm(call, server) : new URLSearchParams();
  if (page.method === 'POST' && !isEqual(form.get('csrf') ?? '', visitor.csrf))
    throw new HttpError(403, 'forbidden', 'this form is not of this session; reload the page and send it again');
  if (!includesRole(visitor.role, page.role))
    throw new HttpError(403, 'forbidden', `this needs the role ${page.role}, and ${visitor.name} is ${visitor.role}`);
  const { params, query, headers, address } = call;
  const actor = `${visitor.name}, by web from ${address}`;
  const app: App = { ...server.app, actor, ledger: server.app.ledger.as(actor) };
  return page.handle({ params, query, form, headers, visitor, address, app }, server);
}

/** In constant time, and of any text. */
const isEqual = (left: string, right: string): boolean =>
  timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest());

/** A part of a page that a script asks for does not follow a redirect: the whole page goes to the login. */
function toLogin({ path }: Page, { params, query, headers }: Call): Reply {
  const own = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const next = query.size === 0 ? own : `${own}?${query.toString()}`;
  const login = next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`;
  return headers.get('hx-request') === 'true' ? html(401, '', { 'HX-Redirect': login }) : seeOther(login);
}
