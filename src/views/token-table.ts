import { formatSpan } from '../core/duration.js';
import type { Token } from '../core/token.js';
import { toTime } from './json.js';
import { toTable } from './table.js';

/** The tokens as a table. @param width in columns */
export function toTokenTable(tokens: readonly Token[], now: number, width = 80): string {
  if (tokens.length === 0) return 'no tokens';
  const rows = tokens.map(({ name, scope, source, networks, expiresAt, by }) => [
    ...[name, scope, source ?? 'any', networks.join(', ') || 'any'],
    ...[expiresAt === null ? 'forever' : formatSpan(expiresAt - now), by],
  ]);
  return toTable(['NAME', 'SCOPE', 'SOURCE', 'NETWORK', 'LEFT', 'BY'], rows, { right: new Set(['LEFT']), width });
}

export const tokenToJson = ({ name, scope, source, networks, createdAt, by, expiresAt }: Token): object => ({
  name,
  scope,
  source,
  networks,
  created_at: toTime(createdAt),
  by,
  expires_at: toTime(expiresAt),
});
