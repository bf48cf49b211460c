import { parseAddress } from '../core/address.js';
import { isHostName, type Allowance } from '../core/allowance.js';
import { cleanDescription } from '../core/description.js';
import { parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { isName, maxNames } from '../dispatch/allowed-names.js';
import type { App } from '../runtime/app.js';
import { resolveName } from '../runtime/resolve-name.js';
import { saveKnown } from './fallback.js';

/** The most entries: each is compared with every alarm. */
const maxEntries = 1000;

/**
 * Puts an address, a network or a host name on the ledger's allowlist.
 * @param time as in `30d`; undefined is forever
 * @throws FirebreakError usage
 */
export async function allow(
  text: string,
  { time, reason }: { time: string | undefined; reason: string },
  app: App,
): Promise<Allowance> {
  const parsed = parseAddress(text);
  const address = parsed.ok ? parsed.address.text : text.toLowerCase().replace(/\.$/, '');
  if (!parsed.ok && !isHostName(address)) throw new FirebreakError('usage', parsed.message);
  const why = toReason(reason);
  const durationMs = time === undefined ? null : toDuration('--for', time);
  const known = (await app.ledger.findAllowances()).filter((each) => each.address !== address);
  if (known.length >= maxEntries) throw new FirebreakError('usage', `the allowlist has ${maxEntries} entries already`);
  if (!parsed.ok && known.filter(isName).length >= maxNames)
    throw new FirebreakError('usage', `the allowlist has ${maxNames} host names already: give the address`);
  const resolved = parsed.ok ? [] : await resolveName(address);
  if (!parsed.ok && resolved.length === 0)
    throw new FirebreakError('usage', `${address} has no address in DNS: give an address, or a name that resolves`);
  await app.ledger.allow({ kind: 'allow', address, durationMs, reason: why, resolved });
  await saveKnown(app);
  const entry = (await app.ledger.findAllowances()).find((each) => each.kind === 'allow' && each.address === address);
  if (entry === undefined) throw new Error('the allowlist has no entry of what was allowed');
  return entry;
}

/** Ends an entry of the allowlist, or the grace time of an address. @throws FirebreakError usage if there is none */
export async function disallow(text: string, app: App): Promise<string> {
  const parsed = parseAddress(text);
  const address = parsed.ok ? parsed.address.text : text.toLowerCase();
  if (!(await app.ledger.disallow(address)))
    throw new FirebreakError('usage', `${quoteBack(address)} is not on the allowlist; run firebreak allowed to see it`);
  await saveKnown(app);
  return address;
}

export function toReason(text: string): string {
  const reason = cleanDescription(text);
  if (reason !== '') return reason;
  throw new FirebreakError('usage', `expected a reason in letters, got ${quoteBack(text)}`);
}

/** @throws FirebreakError usage */
export function toDuration(option: string, text: string): number | null {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new FirebreakError(
    'usage',
    `${option}: expected a duration such as 30m, 24h, 7d or forever, got ${quoteBack(text)}`,
  );
}
