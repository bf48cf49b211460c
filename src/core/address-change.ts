import type { AddressChange } from './policy.js';
import { formatLocal } from './local-time.js';

/** How the addresses of a firewall changed, in one sentence. */
export function describeChange({ firewall, at, added, removed }: AddressChange): string {
  const parts = [say('new', added), say('gone', removed)].filter((part) => part !== '');
  return `${firewall} tells other addresses of its own since ${formatLocal(at)}: ${parts.join('; ')}`;
}

const mostListed = 8;

function say(what: string, addresses: readonly string[]): string {
  if (addresses.length === 0) return '';
  const more = addresses.length - mostListed;
  return `${what} ${addresses.slice(0, mostListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
