import type { AddressChange } from './policy.js';
import { formatLocal } from './local-time.js';

/** Describes in one sentence how the addresses of a firewall changed. */
export function describeChange({ firewall, at, added, removed }: AddressChange): string {
  const changes = [list('new', added), list('gone', removed)].filter((change) => change !== '');
  return `${firewall} has had different addresses since ${formatLocal(at)}: ${changes.join('; ')}`;
}

const maxListed = 8;

function list(label: string, addresses: readonly string[]): string {
  if (addresses.length === 0) return '';
  const more = addresses.length - maxListed;
  return `${label} ${addresses.slice(0, maxListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
