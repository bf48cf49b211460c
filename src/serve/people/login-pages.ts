import { countWaiting, isPassword } from '../../app/passwords.js';
import { isPersonName } from '../../app/people.js';
import { readLastEntries } from '../../app/verify-audit.js';
import { describeError } from '../../core/describe.js';
import type { Person } from '../../core/role.js';
import { HttpError } from '../http-error.js';
import { renderPage, seeOther } from '../page/html.js';
import type { Call, Reply, Route, Server } from '../route.js';
import { makeLockout, type Lock, type Lockout } from './lockout.js';
import { toOpenRoute } from './open-page.js';
import { findSession, beginSession, sessionCookie } from './login-session.js';
import { providerOf } from './oidc.js';
import { toRoute } from './page-route.js';

/** Logins that may wait for their turn; more get 503. */
const maxWaiting = 20;

const lockEvent = 'login locked';
/** How many of the latest audit entries are searched for locks. */
const maxEntries = 20_000;

/** The page after a login, which is one of this server. */
export const ownPath = (text: string | null): string =>
  text !== null && /^\/(?![/\\])[\x21-\x7e]{0,2000}$/.test(text) && !text.includes('\\') ? text : '/';

interface LoginForm {
  next: string;
  name?: string;
  problem?: string;
  /** Of the answer, if there is a problem. */
  status?: number;
}

export function showLogin({ next, name = '', problem, status = 401 }: LoginForm, server: Server): Promise<Reply> {
  const { oidc } = server.app.config.serve.page;
  const elsewhere = oidc && { provider: providerOf(oidc), query: new URLSearchParams({ next }).toString() };
  return renderPage('login', {
    context: { next, name, problem: problem ?? null, elsewhere: elsewhere ?? null },
    frame: { title: 'Log in', status: problem === undefined ? 200 : status },
    app: server.app,
  });
}

async function logIn(
  call: Call,
  { form, lockout }: { form: URLSearchParams; lockout: Lockout },
  server: Server,
): Promise<Reply> {
  const { address } = call;
  const next = ownPath(form.get('next'));
  const name = (form.get('name') ?? '').trim().toLowerCase().slice(0, 100); // more than any name has
  if (lockout.isLocked(name, address))
    throw new HttpError(429, 'too_many', { message: 'too many failed logins; wait 15 minutes', retryAfter: 900 });
  if (countWaiting() > maxWaiting)
    throw new HttpError(503, 'busy', {
      message: 'too many people log in at once; log in again in a few seconds',
      retryAfter: 5,
    });
  const person = await checkPassword(name, form.get('password') ?? '', server);
  if (person === undefined) {
    await recordFailure({ name, address, locks: lockout.fail(name, address) }, server);
    return showLogin({ next, name, problem: 'The name or the password is wrong.' }, server);
  }
  lockout.succeed(name, address);
  const { cookie } = await beginSession({ name, role: person.role, via: 'password', address }, call.headers, server);
  return seeOther(next, { 'Set-Cookie': cookie });
}

async function checkPassword(name: string, password: string, { app }: Server): Promise<Person | undefined> {
  const person = isPersonName(name) ? await app.ledger.findPerson(name) : undefined;
  return (await isPassword(password, person?.password)) ? person : undefined;
}

async function recordFailure(
  { name, address, locks }: { name: string; address: string; locks: readonly Lock[] },
  { app }: Server,
): Promise<void> {
  const log = await app.openLog();
  log.warn('login failed', { name, from: address });
  for (const lock of locks) {
    log.warn(lockEvent, { name: lock.name, from: address });
    await app.ledger.as(`web from ${address}`).record({ event: lockEvent, ...lock });
  }
}

/** Sets the locks that the audit log has: they outlive a restart. */
async function restoreLocks(lockout: Lockout, { app }: Server): Promise<void> {
  try {
    const now = await app.ledger.now();
    for (const { event, at, name, address } of await readLastEntries(maxEntries, [], app)) {
      if (event !== lockEvent || typeof at !== 'string' || typeof address !== 'string') continue;
      lockout.restore({ address, ...(typeof name === 'string' && { name }) }, now - Date.parse(at));
    }
  } catch (error) {
    (await app.openLog()).warn('locked logins were not restored', { error: describeError(error) });
  }
}

/** Ends the session, and its cookie. */
const logOut = toRoute({
  method: 'POST',
  path: '/logout',
  role: 'viewer',
  handle: async ({ headers, app }, server) => {
    const found = await findSession(headers, server);
    if (found !== undefined) await app.ledger.endWebSession(found.session);
    return seeOther('/login', { 'Set-Cookie': sessionCookie(server, headers, '') });
  },
});

/** Login and logout. */
export function makeLoginRoutes(): readonly Route[] {
  const lockout = makeLockout();
  let restored: Promise<void> | undefined;
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
      handle: async (call, form, server) => {
        await (restored ??= restoreLocks(lockout, server));
        return logIn(call, { form, lockout }, server);
      },
    }),
    logOut,
  ];
}
