import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OpenID Connect provider at which one person is always logged in. */
export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Claims of the next tokens; those of the protocol too. */
  claims: Record<string, unknown>;
  /** Only from the user-info endpoint. */
  userInfo: Record<string, unknown>;
  /** Signs with a key that it does not publish. */
  isForged: boolean;
  stop(): Promise<void>;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startOidcProvider(): Promise<OidcProvider> {
  const real = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const forged = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, URLSearchParams>();
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: OidcProvider = {
    issuer,
    clientId: 'firebreak',
    clientSecret: randomBytes(16).toString('hex'),
    claims: {},
    userInfo: {},
    isForged: false,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const makeToken = (nonce: string | null, key: KeyObject): string => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, aud: provider.clientId, sub: 'u-1', iat: now, exp: now + 300, nonce };
    const text = `${encode({ alg: 'RS256', kid: 'k1' })}.${encode({ ...usual, ...provider.claims })}`;
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  };
  const exchange = (form: URLSearchParams, authorization: string): object | undefined => {
    const begun = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const basic = Buffer.from(`${provider.clientId}:${provider.clientSecret}`).toString('base64');
    const isClient = form.get('client_secret') === provider.clientSecret || authorization === `Basic ${basic}`;
    if (begun === undefined || !isClient || challenge !== begun.get('code_challenge')) return undefined;
    const key = (provider.isForged ? forged : real).privateKey;
    const id_token = makeToken(begun.get('nonce'), key);
    return { access_token: 'a-1', token_type: 'Bearer', expires_in: 300, id_token };
  };
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    const reply = (status: number, value: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (url.pathname === '/.well-known/openid-configuration')
      return reply(200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/me`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    if (url.pathname === '/keys')
      return reply(200, {
        keys: [{ ...real.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }],
      });
    if (url.pathname === '/me') return reply(200, { sub: 'u-1', ...provider.userInfo });
    if (url.pathname === '/authorize') {
      const code = randomBytes(16).toString('hex');
      codes.set(code, url.searchParams);
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state') ?? '');
      return response.writeHead(302, { location: back.href }).end();
    }
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const tokens = exchange(new URLSearchParams(body), request.headers.authorization ?? '');
      if (tokens === undefined) reply(400, { error: 'invalid_grant' });
      else reply(200, tokens);
    });
  });
  return provider;
}
