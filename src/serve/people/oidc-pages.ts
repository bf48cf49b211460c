import { HttpError } from '../http-error.js';
import { renderPage, seeOther } from '../page/html.js';
import type { Call, Reply, Route, Server } from '../route.js';
import { ownPath, showLogin } from './login-pages.js';
import { beginSession, loginCookie, readLoginSecret } from './login-session.js';
import { beginLogin, callbackPath, endLogin, nextOf, providerOf, type OidcConfig } from './oidc.js';
import { toOpenRoute } from './open-page.js';

function getSettings({ app }: Server): OidcConfig {
  const { oidc } = app.config.serve.page;
  if (oidc === undefined) throw new HttpError(404, 'not_found', 'serve.page.oidc is not configured');
  return oidc;
}

/** To the provider. */
async function leave({ headers, query }: Call, server: Server): Promise<Reply> {
  const next = ownPath(query.get('next'));
  const { location, secret } = await beginLogin(getSettings(server), next, server);
  return seeOther(location, { 'Set-Cookie': loginCookie(server, headers, secret) });
}

/** Back from the provider: the session begins. */
async function comeBack({ headers, query, address }: Call, server: Server): Promise<Reply> {
  const settings = getSettings(server);
  const secret = readLoginSecret(server, headers);
  if (secret === undefined)
    throw new HttpError(
      403,
      'forbidden',
      'this login did not begin in this browser within ten minutes; begin it again',
    );
  const person = await endLogin(settings, { secret, query }, server);
  const { cookie } = await beginSession({ ...person, via: 'oidc', address }, headers, server);
  // Not by a redirect: the browser would take it for a request of the provider's site, and not send the session's cookie.
  const next = ownPath(nextOf(query.get('state')));
  const context = { title: `Logged in as ${person.name}`, message: `${providerOf(settings)} confirmed it.`, next };
  const reply = await renderPage('welcome', { context, frame: { title: 'Logged in' }, app: server.app });
  return { ...reply, headers: { ...reply.headers, 'Set-Cookie': cookie, Refresh: `0; url=${next}` } };
}

/** What fails is logged, and shown with the login: local accounts still log in. */
const orLogin =
  (handle: (call: Call, server: Server) => Promise<Reply>) =>
  async (call: Call, _: URLSearchParams, server: Server): Promise<Reply> => {
    try {
      return await handle(call, server);
    } catch (error) {
      if (!(error instanceof HttpError) || error.status === 404) throw error;
      const log = await server.app.openLog();
      log.warn('login failed', { via: 'oidc', from: call.address, reason: error.message });
      const next = ownPath(call.query.get('next') ?? nextOf(call.query.get('state')));
      return showLogin({ next, problem: `${error.message}.`, status: error.status }, server);
    }
  };

/** Login by OpenID Connect: to the provider, and back. */
export const oidcRoutes: readonly Route[] = [
  toOpenRoute({ method: 'GET', path: '/login/oidc', handle: orLogin(leave) }),
  toOpenRoute({ method: 'GET', path: callbackPath, handle: orLogin(comeBack) }),
];
