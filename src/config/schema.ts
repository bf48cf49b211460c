import * as z from 'zod';
import { nat64Lengths, parseAddress, parseRange, type Address } from '../core/address.js';
import { parseDuration } from '../core/duration.js';
import { protocols, types } from '../core/flow.js';

// The schema is used once a process: compiling it first would cost more than it saves.
z.config({ jitless: true });

const path = z.string().min(1);
const port = z.int('expected 1-65535').min(1, 'expected 1-65535').max(65535, 'expected 1-65535');

/** Milliseconds; null is for ever. */
function toDuration(text: string, context: z.RefinementCtx): number | null {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.issues.push({ code: 'custom', message: 'expected such as 30m, 24h, 7d or forever', input: text });
  return z.NEVER;
}

const timeLimit = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms !== null) return ms;
  context.issues.push({ code: 'custom', message: 'expected a time such as 60s or 5m', input: text });
  return z.NEVER;
});

const address = z.string().transform((text, context) => {
  const parsed = parseAddress(text);
  if (parsed.ok) return parsed.address;
  context.issues.push({ code: 'custom', message: parsed.message, input: text });
  return z.NEVER;
});

const nat64Prefix = address.refine(
  ({ family, prefix }) => family === 'inet6' && nat64Lengths.includes(prefix),
  `expected an IPv6 prefix of length ${nat64Lengths.join(', ')}`,
);

/** What policy.never_block lists. The networks of an `@file` are read when the configuration is loaded. */
export interface Protected {
  text: string;
  networks: Address[];
}

const protectedEntry = z.string().transform((text, context): Protected => {
  if (text.startsWith('@') && text.length > 1) return { text, networks: [] };
  const parsed = parseRange(text);
  if (parsed.ok) return { text, networks: parsed.networks };
  context.issues.push({ code: 'custom', message: parsed.message, input: text });
  return z.NEVER;
});

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'expected letters, digits, ".", "_" or "-"');
const interfaceKey = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, 'expected a key such as wan, lan or opt1');

const firewall = z.strictObject({
  platform: z.enum(['pfsense']).default('pfsense'),
  host: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, 'expected an address or a host name'),
  port: port.default(22),
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'expected a login name')
    .default('root'),
  private_key_file: path.optional(),
  password_file: path.optional(),
  known_hosts_file: path.optional(),
  become: z.boolean().default(false),
  become_user: name.default('root'),
  become_password_file: path.optional(),
  addresses: z.array(address).default([]),
  interfaces: z.record(interfaceKey, z.array(address)).default({}),
  vars: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name'), z.json()).default({}),
});

/** What a mail can be about; the first four where nothing else is said. */
const mailKinds = ['failure', 'recovery', 'held', 'drift', 'success', 'digest'] as const;

const mail = z.strictObject({
  host: z.string().min(1),
  port: port.default(25),
  from: z.string().min(3),
  to: z.array(z.string().min(3)).min(1),
  user: z.string().optional(),
  password_file: path.optional(),
  tls: z.enum(['none', 'starttls', 'tls']).optional(),
  ca_file: path.optional(),
  on: z.array(z.enum(mailKinds)).default(mailKinds.slice(0, 4)),
  digest_at: z
    .string()
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'expected a time of day such as 07:00')
    .default('07:00'),
});

/** What a webhook can be about: what is wrong, and what is over. */
const webhookKinds = ['failure', 'recovery', 'held', 'drift'] as const;

const webhook = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s/]+/, 'expected an address that begins with https:// or http://')
      .optional(),
    url_file: path.optional(),
    on: z.array(z.enum(webhookKinds)).default([...webhookKinds]),
    template: path.optional(),
    secret_file: path.optional(),
    headers_file: path.optional(),
    ca_file: path.optional(),
    timeout: timeLimit.prefault('10s'),
  })
  .refine(({ url, url_file }) => (url === undefined) !== (url_file === undefined), 'expected url or url_file');

const facilities = [
  ...['user', 'daemon', 'auth', 'authpriv'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
] as const;

const syslog = z.strictObject({
  to: z
    .string()
    .regex(
      /^(?:(?:udp|tcp):\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?|unix:\/.+)$/,
      'expected udp://HOST:PORT, tcp://HOST:PORT or unix:/PATH',
    ),
  facility: z.enum(facilities).default('local0'),
});

/** The whole of firebreak.yml. Every key has its default here and nowhere else. */
export const configSchema = z.strictObject({
  state_dir: path.default('/var/lib/firebreak'),
  firewalls: z.record(name, firewall).refine((all) => Object.keys(all).length > 0, 'expected at least one firewall'),
  defaults: z
    .strictObject({
      type: z.enum(types).default('block'),
      protocol: z.enum(protocols).default('tcp'),
      duration: z.string().transform(toDuration).prefault('24h'),
      description: z.string().default('blocked by firebreak'),
    })
    .prefault({}),
  policy: z
    .strictObject({
      never_block: z.array(protectedEntry).default([]),
      siem: z.array(address).default([]),
      nat64_prefixes: z.array(nat64Prefix).default([]),
      types: z
        .array(z.enum(types))
        .min(1)
        .default([...types]),
      widest: z
        .strictObject({ inet: z.int().min(8).max(32).default(32), inet6: z.int().min(16).max(128).default(128) })
        .prefault({}),
      longest: z.string().transform(toDuration).prefault('30d'),
      limits: z
        .strictObject({
          per_minute: z.int().positive().default(60),
          active: z.int().positive().default(10_000),
          per_destination: z.int().positive().default(1000),
          hold: z.boolean().default(true),
          reserved: z.int().min(0).max(90).default(25),
          high_risk: z.int().min(1).max(10).default(5),
          hold_for: timeLimit.prefault('24h'),
        })
        .prefault({}),
    })
    .prefault({}),
  escalation: z
    .strictObject({
      factor: z.number().min(1).max(100).default(2),
      max: z.string().transform(toDuration).prefault('30d'),
      memory: z.string().transform(toDuration).prefault('30d'),
    })
    .prefault({}),
  dispatch: z
    .strictObject({
      max_waiting: z.int().nonnegative().default(8),
      recheck: timeLimit.prefault('60s'),
      same_event: timeLimit.prefault('10m'),
      give_up: timeLimit.prefault('24h'),
      patience: timeLimit.prefault('10m'),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      max_sessions: z.int().positive().default(32),
      max_per_caller: z.int().positive().default(16),
    })
    .prefault({}),
  keep_alarms: timeLimit.prefault('365d'),
  ansible: z
    .strictObject({
      playbook_command: path.default('ansible-playbook'),
      timeout: timeLimit.prefault('60s'),
      batch: z.int().positive().default(1000),
      keep_runs: z.int().positive().default(200),
    })
    .prefault({}),
  mail: mail.optional(),
  templates_dir: path.optional(),
  webhook: webhook.optional(),
  syslog: syslog.optional(),
  log: z
    .strictObject({
      level: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
      file: path.optional(),
      format: z.enum(['json', 'text']).default('json'),
      max_megabytes: z.number().positive().default(20),
      max_age: timeLimit.prefault('30d'),
      keep: z.int().nonnegative().default(10),
    })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type FirewallConfig = Config['firewalls'][string];
export type MailConfig = NonNullable<Config['mail']>;
export type SyslogConfig = NonNullable<Config['syslog']>;
export type WebhookConfig = NonNullable<Config['webhook']>;
