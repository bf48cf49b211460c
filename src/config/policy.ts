import { parseAddress } from '../core/address.js';
import { alwaysProtected, type Policy } from '../core/policy.js';
import type { Config } from './schema.js';

/** The safety policy as configured, with what is protected whether configured or not. */
export function findPolicy(config: Config): Policy {
  const hosts = Object.entries(config.firewalls).flatMap(([name, { host }]) => {
    const parsed = parseAddress(host);
    return parsed.ok ? [{ address: parsed.address, reason: `the address of firewall ${name}` }] : [];
  });
  const listed = config.policy.never_block.map((address) => ({
    address,
    reason: `protected by policy.never_block (${address.text})`,
  }));
  return { protections: [...alwaysProtected, ...hosts, ...listed], types: config.policy.types };
}
