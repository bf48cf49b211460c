import { randomBytes } from 'node:crypto';
import { parseAddress } from '../core/address.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { hashToken, tokenScopes, type TokenScope } from '../core/token.js';
import type { App } from '../runtime/app.js';
import { toDuration } from './allow.js';

export interface TokenRequest {
  name: string;
  scope: string;
  source: string | undefined;
  networks: readonly string[];
  /** As in `30d`; undefined never expires. */
  expires: string | undefined;
}

/** The prefix lets secret scanners find a token that was published by mistake. */
const prefix = 'fbt_';

/** Makes a token. @returns its secret, which cannot be shown again @throws FirebreakError usage */
export async function addToken(request: TokenRequest, { ledger }: App): Promise<string> {
  const { name, source = null } = request;
  if (!isName(name) || (source !== null && !isName(source)))
    throw new FirebreakError('usage', `expected a name of letters, digits, ".", "_" or "-", got ${quoteBack(name)}`);
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  const isNew = await ledger.addToken({
    name,
    source,
    hash: hashToken(secret),
    scope: toScope(request.scope),
    networks: request.networks.map(toNetwork),
    durationMs: request.expires === undefined ? null : toDuration('--expires', request.expires),
  });
  if (isNew) return secret;
  throw new FirebreakError('usage', `there is a token named ${name} already; run firebreak token revoke ${name} first`);
}

/** @throws FirebreakError usage if there is none of this name */
export async function revokeToken(name: string, { ledger }: App): Promise<void> {
  if (await ledger.revokeToken(name)) return;
  throw new FirebreakError('usage', `no token is named ${quoteBack(name)}; run firebreak token list to see them`);
}

const isName = (text: string): boolean => /^[A-Za-z0-9][\w.-]{0,62}$/.test(text);

function toScope(text: string): TokenScope {
  const scope = tokenScopes.find((each) => each === text);
  if (scope !== undefined) return scope;
  throw new FirebreakError('usage', `--scope: expected ${tokenScopes.join(', ')}, got ${quoteBack(text)}`);
}

function toNetwork(text: string): string {
  const parsed = parseAddress(text);
  if (parsed.ok) return parsed.address.text;
  throw new FirebreakError('usage', `--network: ${parsed.message}`);
}
