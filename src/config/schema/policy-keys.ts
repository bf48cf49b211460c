import * as z from 'zod';
import { nat64Lengths } from '../../core/address.js';
import { protocols, types } from '../../core/flow.js';
import { requiredProofs } from '../../core/proof.js';
import { address, duration, key, listValues, nat64Prefix, offOrTimeLimit, protectedEntry, timeLimit } from './kinds.js';

export const defaults = z.strictObject({
  type: key(z.enum(types).default('block'), 'Type of rule: `block` drops packets silently, `reject` answers them.'),
  protocol: key(
    z.enum(protocols).default('tcp'),
    `Protocol: one of ${listValues(protocols)}. The last two have no port.`,
  ),
  duration: key(duration.prefault('24h'), 'How long a block lasts, or `forever`.'),
  grace: key(
    offOrTimeLimit.prefault(0),
    'How long a source is not blocked again after `unblock`, unless `--grace` says otherwise; its alarms are recorded as refused. `0` for not at all.',
  ),
  description: key(
    z.string().default('blocked by firebreak'),
    'Text shown beside the rule. Characters other than letters, digits, spaces and `. : _ -` become spaces; 52 characters at most.',
  ),
});

const widest = z.strictObject({
  inet: key(
    z.int().min(8).max(32).default(32),
    'Widest IPv4 network that may be blocked, as a prefix length. 32 allows single hosts only.',
  ),
  inet6: key(
    z.int().min(16).max(128).default(128),
    'Widest IPv6 network that may be blocked, as a prefix length. 128 allows single hosts only.',
  ),
});

const limits = z.strictObject({
  per_minute: key(
    z.int().positive().default(60),
    'Alarms per minute that may create new blocks; the blocks of further alarms are held. An alarm counts once, on however many firewalls; held blocks do not count.',
  ),
  active: key(
    z.int().positive().default(10_000),
    'Active blocks at the same time; further ones are held. The only limit that also applies to `firebreak import`.',
  ),
  per_destination: key(
    z.int().positive().default(1000),
    'Active blocks towards one destination on one firewall; further ones are held.',
  ),
  hold: key(z.boolean().default(true), 'Whether to hold blocks at all; `false` disables the limits.'),
  reserved: key(
    z.int().min(0).max(90).default(25),
    'Share of the limits, in percent, that is set aside for high-risk alarms and for sources with earlier alarms: an attacker who forges sources uses a new one each time.',
  ),
  high_risk: key(
    z.int().min(1).max(10).default(5),
    'Lowest `--risk` with which an alarm may use the share that `policy.limits.reserved` sets aside.',
  ),
  hold_for: key(
    timeLimit.prefault('24h'),
    'How long a held block waits for `firebreak approve` before it is refused, counted from its first alarm. If its alarm comes again while the limits have room, it is released without approval.',
  ),
});

export const policy = z.strictObject({
  never_block: key(
    z.array(protectedEntry).prefault([]),
    'What is never blocked, neither as source nor as destination; a network that contains it or lies in it is not blocked either. Addresses, networks, ranges (`192.0.2.10-192.0.2.20`), and `@FILE`, a list with one of these per line that is read again at each start.',
    ['192.0.2.128/28', '@protected.txt'],
  ),
  never_block_to: key(
    z.array(protectedEntry).prefault([]),
    "What is never blocked as a destination, in the same forms. The firewalls' own addresses are always protected as sources; list those here that must stay reachable for everyone as well.",
    ['198.51.100.2', '@services.txt'],
  ),
  siem: key(z.array(address).prefault([]), 'Addresses of the SIEM, never blocked either.', ['192.0.2.50']),
  nat64_prefixes: key(
    z.array(nat64Prefix).prefault([]),
    `Your own NAT64 prefixes (RFC 6052), of length ${nat64Lengths.slice(0, -1).join(', ')} or ${nat64Lengths.at(-1) ?? ''}: an IPv4 address within one counts as itself. \`64:ff9b::/96\` and \`64:ff9b:1::/48\` are built in.`,
    ['2001:db8:64::/96'],
  ),
  on_protected: key(
    z.enum(['release', 'warn']).default('release'),
    'What happens to a block whose address becomes protected later: `release` removes it with the next run of `expire`, `drain` or `reconcile`; `warn` leaves it until `reconcile --fix` or `unblock`. Either way you are notified, as of drift. A block with an override stays.',
  ),
  types: key(
    z
      .array(z.enum(types))
      .min(1)
      .default([...types]),
    'Types of rule that may be requested.',
  ),
  widest: key(widest.prefault({}), 'The widest networks that may be blocked.'),
  longest: key(
    duration.prefault('30d'),
    "Longest duration that an alarm over SSH may request with `--for`, or `forever`. A longer one is cut to this. An operator's `--for` is used unchanged.",
  ),
  require_proof: key(
    z.enum(requiredProofs).default('listed'),
    'The least that a proof must be worth for exit code 0: `listed`, the rule is in pf and no other rule is known to pass its packets; or `decides`, pf is known to drop them by this rule. Less is exit code 9 (docs/proof.md).',
  ),
  limits: key(limits.prefault({}), 'How much may be blocked without review.'),
});

export const escalation = z.strictObject({
  factor: key(
    z.number().min(1).max(100).default(2),
    'Factor by which each earlier block of the source multiplies `defaults.duration`. 1 disables escalation.',
  ),
  max: key(duration.prefault('30d'), 'Longest duration that escalation leads to, or `forever`.'),
  memory: key(duration.prefault('30d'), 'How far back earlier blocks count, or `forever`.'),
});
