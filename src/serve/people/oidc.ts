import { randomBytes } from 'node:crypto';
import type { Configuration } from 'openid-client';
import { isPersonName } from '../../app/people.js';
import type { ServeConfig } from '../../config/schema/serve-keys.js';
import { readSecret } from '../../config/read-secret.js';
import { includesRole, type Role } from '../../core/role.js';
import { HttpError } from '../http-error.js';
import type { Server } from '../route.js';
import { deriveFrom } from './login-session.js';

export type OidcConfig = NonNullable<ServeConfig['page']['oidc']>;

/** Where the provider sends people back to. */
export const callbackPath = '/login/oidc/callback';

/** Timeout of a request to the provider. */
const timeoutSeconds = 10;

/** How long what a provider says of itself is taken as current. */
const discoveredForMs = 3_600_000;

let discovered: { settings: OidcConfig; at: number; configuration: Promise<Configuration> } | undefined;

/** Asks the provider once an hour; again at once if it did not answer. @throws HttpError 502 */
async function discover(settings: OidcConfig): Promise<Configuration> {
  const now = performance.now();
  if (discovered?.settings !== settings || now - discovered.at > discoveredForMs)
    discovered = { settings, at: now, configuration: askProvider(settings) };
  const current = discovered;
  try {
    return await current.configuration;
  } catch (error) {
    if (discovered === current) discovered = undefined;
    throw failed(settings, 'does not answer as an OpenID Connect provider', error);
  }
}

async function askProvider({ issuer, client_id, client_secret_file }: OidcConfig): Promise<Configuration> {
  const oidc = await import('openid-client'); // loaded here, because few installations need it
  const secret = readSecret(client_secret_file);
  // A token's signature is checked although it comes from the provider itself.
  const execute = [oidc.enableNonRepudiationChecks];
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- only in order to stand out: the schema has plain HTTP on the loopback alone
  if (issuer.startsWith('http:')) execute.push(oidc.allowInsecureRequests);
  return oidc.discovery(new URL(issuer), client_id, secret, undefined, { execute, timeout: timeoutSeconds });
}

/** How people know the provider: its host. */
export const providerOf = ({ issuer }: OidcConfig): string => new URL(issuer).host;

const failed = (settings: OidcConfig, what: string, cause: unknown): HttpError => {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new HttpError(502, 'login_failed', `${providerOf(settings)} ${what}${why}`);
};

/** The values of one login follow from the secret in its cookie: nothing is stored here. */
const stateOf = (secret: string, next: string): string =>
  `${deriveFrom(secret, `state ${next}`)}.${Buffer.from(next).toString('base64url')}`;
const nonceOf = (secret: string): string => deriveFrom(secret, 'nonce');
const verifierOf = (secret: string): string => deriveFrom(secret, 'pkce');

/** The page that the provider returns people to, as the state has it. */
export const nextOf = (state: string | null): string =>
  Buffer.from(state?.split('.')[1] ?? '', 'base64url').toString('utf8');

const redirectOf = ({ app }: Server): string => new URL(callbackPath, app.config.serve.page.url).href;

/** Begins a login. @returns the provider's address, and the secret for the browser's cookie. @throws HttpError 502 */
export async function beginLogin(
  settings: OidcConfig,
  next: string,
  server: Server,
): Promise<{ location: string; secret: string }> {
  const configuration = await discover(settings);
  const oidc = await import('openid-client');
  const secret = randomBytes(32).toString('base64url');
  const location = oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectOf(server),
    scope: settings.scope,
    state: stateOf(secret, next),
    nonce: nonceOf(secret),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifierOf(secret)),
    code_challenge_method: 'S256',
  });
  return { location: location.href, secret };
}

/** The person whom the provider's answer names. @throws HttpError 403, 502 */
export async function endLogin(
  settings: OidcConfig,
  { secret, query }: { secret: string; query: URLSearchParams },
  server: Server,
): Promise<{ name: string; role: Role }> {
  const configuration = await discover(settings);
  const oidc = await import('openid-client');
  const url = new URL(`${redirectOf(server)}?${query.toString()}`);
  let claims: Record<string, unknown>;
  try {
    const tokens = await oidc.authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: verifierOf(secret),
      expectedState: stateOf(secret, nextOf(query.get('state'))),
      expectedNonce: nonceOf(secret),
      idTokenExpected: true,
    });
    claims = { ...tokens.claims() };
    // Some providers tell only there what the token does not have.
    if (isLacking(claims, settings) && configuration.serverMetadata().userinfo_endpoint !== undefined) {
      const info = await oidc.fetchUserInfo(configuration, tokens.access_token, String(claims['sub']));
      claims = { ...info, ...claims };
    }
  } catch (error) {
    throw failed(settings, 'did not confirm this login', error);
  }
  const person = toPerson(claims, settings);
  // The audit log could not distinguish them, and people choose their own names at some providers.
  if ((await server.app.ledger.findPerson(person.name)) !== undefined)
    throw new HttpError(403, 'forbidden', `${person.name} is an account of this server; log in with its password`);
  return person;
}

const isLacking = (claims: Record<string, unknown>, { claim, roles_claim }: OidcConfig): boolean =>
  claims[claim] === undefined || claims[roles_claim] === undefined;

function toPerson(claims: Record<string, unknown>, settings: OidcConfig): { name: string; role: Role } {
  const { claim, roles_claim, roles, default_role } = settings;
  const { [claim]: named, [roles_claim]: listed } = claims;
  const name = typeof named === 'string' ? named.toLowerCase() : '';
  if (!isPersonName(name))
    throw new HttpError(403, 'forbidden', `${providerOf(settings)} names no person in the claim ${claim}`);
  const groups = (Array.isArray(listed) ? listed : [listed]).filter((group) => typeof group === 'string');
  const found = groups.flatMap((group) => (Object.hasOwn(roles, group) ? (roles[group] ?? []) : []));
  const [first, ...others] = [...found, ...(default_role === undefined ? [] : [default_role])];
  if (first !== undefined)
    return { name, role: others.reduce((best, role) => (includesRole(role, best) ? role : best), first) };
  const giving = Object.keys(roles).join(', ') || 'none';
  throw new HttpError(
    403,
    'forbidden',
    `${name} has no role here; groups that give one (serve.page.oidc.roles): ${giving}`,
  );
}
