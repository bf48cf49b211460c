import { countWaiting, isPassword } from '../../app/passwords.js';
import { isPersonName } from '../../app/people.js';
import type { Person } from '../../core/role.js';
import { HttpError } from '../http-error.js';
import { renderPage, seeOther } from '../page/html.js';
import type { Call, Reply, Route, Server } from '../route.js';
import { makeLockout, type Lockout } from './lockout.js';
import { toOpenRoute } from './open-page.js';
import { findSession, beginSession, sessionCookie } from './login-session.js';
import { toRoute } from './page-route.js';

/** Logins that may wait for their turn; more get 503. */
const maxWaiting = 20;

/** The page after a login, which is one of this server. */
export const ownPath = (text: string | null): string =>
  text !== null && /^\/(?![/\\])[\x21-\x7e]{0,2000}$/.test(text) && !text.includes('\\') ? text : '/';

interface LoginForm {
  next: string;
  name?: string;
  problem?: string;
}

const showLogin = ({ next, name = '', problem }: LoginForm, server: Server): Promise<Reply> =>
  renderPage('login', {
    context: { next, name, problem: problem ?? null },
    frame: { title: 'Log in', status: problem === undefined ? 200 : 401 },
    app: server.app,
  });

async function logIn(
  call: Call,
  { form, lockout }: { form: URLSearchParams; lockout: Lockout },
  server: Server,
): Promise<Reply> {
  const { address } = call;
  const next = ownPath(form.get('next'));
  const name = (form.get('name') ?? '').trim().toLowerCase();
  if (lockout.isLocked(name, address))
    throw new HttpError(429, 'too_many', { message: 'too many failed logins; wait 15 minutes', retryAfter: 900 });
  if (countWaiting() > maxWaiting)
    throw new HttpError(503, 'busy', {
      message: 'too many people log in at once; log in again in a few seconds',
      retryAfter: 5,
    });
  const person = await checkPassword(name, form.get('password') ?? '', server);
  if (person === undefined) {
    await recordFailure({ name, address, hasLocked: lockout.fail(name, address) }, server);
    return showLogin({ next, name, problem: 'The name or the password is wrong.' }, server);
  }
  lockout.succeed(name, address);
  const { cookie } = await beginSession({ name, role: person.role, via: 'password', address }, call.headers, server);
  const reply = seeOther(next);
  return { ...reply, headers: { ...reply.headers, 'Set-Cookie': cookie } };
}

async function checkPassword(name: string, password: string, { app }: Server): Promise<Person | undefined> {
  const person = isPersonName(name) ? await app.ledger.findPerson(name) : undefined;
  return (await isPassword(password, person?.password)) ? person : undefined;
}

async function recordFailure(
  { name, address, hasLocked }: { name: string; address: string; hasLocked: boolean },
  { app }: Server,
): Promise<void> {
  const log = await app.openLog();
  const shown = name.slice(0, 64);
  log.warn('login failed', { name: shown, from: address });
  if (!hasLocked) return;
  log.warn('login locked', { name: shown, from: address });
  await app.ledger.as(`web from ${address}`).record({ event: 'login locked', name: shown, address });
}

/** Ends the session, and its cookie. */
const logOut = toRoute({
  method: 'POST',
  path: '/logout',
  role: 'viewer',
  handle: async ({ headers, app }, server) => {
    const found = await findSession(headers, server);
    if (found !== undefined) await app.ledger.endWebSession(found.session);
    const reply = seeOther('/login');
    return { ...reply, headers: { ...reply.headers, 'Set-Cookie': sessionCookie(server, headers, '') } };
  },
});

/** Login and logout. */
export function makeLoginRoutes(): readonly Route[] {
  const lockout = makeLockout();
  return [
    toOpenRoute({
      method: 'GET',
      path: '/login',
      handle: async (call, _, server) => {
        const next = ownPath(call.query.get('next'));
        return (await findSession(call.headers, server)) === undefined ? showLogin({ next }, server) : seeOther(next);
      },
    }),
    toOpenRoute({
      method: 'POST',
      path: '/login',
      handle: (call, form, server) => logIn(call, { form, lockout }, server),
    }),
    logOut,
  ];
}
