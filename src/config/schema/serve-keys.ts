import * as z from 'zod';
import { isPath, parseCondition } from '../../core/condition.js';
import { protocols } from '../../core/flow.js';
import { roles } from '../../core/role.js';
import { address, file, key, listValues, name, port, secretFile, timeLimit } from './kinds.js';

/** The senders whose documents are known. */
export const presetNames = [
  ...['generic', 'wazuh', 'graylog', 'elastic', 'elastalert', 'splunk', 'suricata', 'securityonion'],
  ...['thehive', 'alertmanager'],
] as const;
export type PresetName = (typeof presetNames)[number];

/** The fields of an alarm that a document can give, by the names of the source `generic`. */
export const mappedFields = [
  ...['src_ip', 'dst_ip', 'dst_port', 'protocol', 'interface', 'type', 'ipproto', 'description', 'duration'],
  ...['event_id', 'backlog_id', 'plugin_id', 'plugin_sid', 'risk', 'sensor', 'tags'],
] as const;
export type MappedField = (typeof mappedFields)[number];

const isListen = (text: string): boolean => /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/.test(text);

export const listenAddress = z
  .string()
  .refine((text) => isListen(text) && Number(text.split(':').at(-1)) <= 65535, 'expected ADDRESS:PORT');

const dotPath = z.string().refine(isPath, 'expected a path such as event.fields.src_ip');
const constant = z.strictObject({ value: z.union([z.string(), z.number()]) });
const fieldValue = z.union([dotPath, constant, z.array(z.union([dotPath, constant])).min(1)]);
const condition = z
  .string()
  .refine((text) => parseCondition(text) !== undefined, 'expected a condition such as rule.level >= 10');

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'expected the name of a header');

const hmac = z.strictObject({
  secret_file: key(secretFile, 'File with the secret that the sender signs its requests with.'),
  header: key(headerName.default('X-Signature'), 'Header with the signature. A prefix such as `sha256=` is ignored.'),
  algorithm: key(z.enum(['sha256', 'sha384', 'sha512']).default('sha256'), '`sha256`, `sha384` or `sha512`.'),
  encoding: key(z.enum(['hex', 'base64']).default('hex'), '`hex` or `base64`.'),
  timestamp_header: key(
    headerName.optional(),
    'Header with the time of the request in seconds since 1970. If set, the signature is that of the time, a dot and the body.',
  ),
  window: key(timeLimit.prefault('5m'), 'How far the time of the request may be from ours.'),
});

const auth = z.strictObject({
  token: key(
    z.enum(['header', 'url', 'none']).default('header'),
    'Where a token is accepted: `header` only, or also in the `url` as `?token=…`, for senders that cannot send a header. `none`: only `hmac` or `certificate` are accepted.',
  ),
  hmac: key(hmac.optional(), 'Signed requests, accepted without a token.'),
  certificate: key(
    z.array(z.string().min(1)).optional(),
    'Common names of client certificates, accepted without a token. Needs `serve.tls.client_ca_file`.',
    ['wazuh.example.org'],
  ),
});

const source = z.strictObject({
  preset: key(z.enum(presetNames).optional(), `Form of the documents: one of ${listValues(presetNames)}.`),
  fields: key(
    z.partialRecord(z.enum(mappedFields), fieldValue).optional(),
    'Where an alarm field is in a document: a dot path, `{value: …}` for a constant, or a list of these, of which the first that is present counts. They replace those of the preset.',
    { src_ip: 'event.fields.attacker', dst_port: ['event.fields.port', { value: 443 }] },
  ),
  when: key(
    z.array(condition).prefault([]),
    'Conditions, all of which a document must meet; others are counted as skipped and record nothing. `PATH`, or `PATH OPERATOR VALUE` with `==`, `!=`, `>=`, `<=`, `>` or `<`.',
    ['rule.level >= 10'],
  ),
  firewalls: key(z.array(name).prefault([]), 'Only these firewalls; all if empty.'),
  auth: key(auth.prefault({}), 'How requests of this source are authenticated.'),
});

const tls = z.strictObject({
  cert_file: key(file, 'Certificate chain (PEM). The files are read again when they change.'),
  key_file: key(secretFile, 'Private key (PEM).'),
  client_ca_file: key(file.optional(), 'Certificates (PEM) of the authorities that sign client certificates.'),
});

/** What a flow lacks if its sender knows only the source. */
const fill = z.strictObject({
  destination: key(address, 'Address or network under attack.', '192.168.1.0/24'),
  port: key(port.optional(), 'Port under attack. Without it and `protocol`, everything is blocked.', 22),
  protocol: key(z.enum(protocols).optional(), `Protocol: one of ${listValues(protocols)}; with a port \`tcp/udp\`.`),
});

const openc2 = z.strictObject({
  fill: key(
    fill.optional(),
    'Lets OpenC2 deny `ipv4_net` and `ipv6_net`, which have no destination: this one is blocked for them.',
  ),
});

const personName = z.string().regex(/^[a-z0-9._@-]{1,64}$/, 'expected a name in lower case');

const proxyHeader = z.strictObject({
  name: key(headerName.default('X-Remote-User'), 'Header with the name. The proxy must remove it from what clients send.'),
  roles: key(
    z.record(personName, z.enum(roles)).prefault({}),
    `Role of each name: ${listValues(roles)}.`,
    { alice: 'admin' },
  ),
  default_role: key(z.enum(roles).optional(), 'Role of all other names. Without it they are refused.'),
});

const oidc = z.strictObject({
  issuer: key(
    z.url({ protocol: /^https?$/, error: 'expected https://HOST/…' }).refine(
      (text) => text.startsWith('https:') || /^http:\/\/(?:127\.[0-9.]+|localhost|\[::1\])[:/]/.test(`${text}/`),
      { error: 'expected https: whoever can change plain HTTP logs in as anyone' },
    ),
    'The provider, by the address that its tokens have.',
    'https://sso.example.org/realms/soc',
  ),
  client_id: key(z.string().min(1), 'Id of this client there.', 'firebreak'),
  client_secret_file: key(secretFile, 'Secret of this client there.'),
  scope: key(
    z.string().regex(/(?:^| )openid(?: |$)/, 'expected words that include openid').default('openid profile'),
    'What is requested of the provider.',
  ),
  claim: key(z.string().min(1).default('preferred_username'), 'Claim with the name of a person.'),
  roles_claim: key(z.string().min(1).default('groups'), 'Claim with the groups of a person.'),
  roles: key(
    z.record(z.string(), z.enum(roles)).prefault({}),
    `Role of the members of each group: ${listValues(roles)}. Of several, the highest counts.`,
    { 'soc-admins': 'admin' },
  ),
  default_role: key(z.enum(roles).optional(), 'Role of all others. Without it they are refused.'),
});

const page = z.strictObject({
  enabled: key(z.boolean().default(false), 'Serves the page for people.'),
  url: key(
    z
      .url({ protocol: /^https?$/, error: 'expected https://HOST/' })
      .optional(),
    'Address of the page as browsers have it, such as that of a proxy in front of it. By default that of `serve.listen`.',
    'https://firebreak.example.org/',
  ),
  proxy_header: key(
    proxyHeader.optional(),
    'Logs in whom a proxy of `serve.trusted_proxies` names in a header.',
  ),
  oidc: key(
    oidc.optional(),
    'Lets people log in by OpenID Connect. Needs `serve.page.url`: the provider returns them to `/login/oidc/callback` there.',
  ),
  session: key(timeLimit.prefault('12h'), 'How long a login is valid.'),
  idle: key(timeLimit.prefault('1h'), 'How long a login is valid without being used.'),
});

export const serve = z.strictObject({
  listen: key(
    listenAddress.default('127.0.0.1:8787'),
    'Address and port. An address other than the loopback needs `serve.tls`, or `serve.trusted_proxies`.',
  ),
  tls: key(tls.optional(), 'HTTPS. Without it, HTTP on the loopback, or behind a proxy.'),
  trusted_proxies: key(
    z.array(address).prefault([]),
    'Proxies whose `X-Forwarded-For` is believed.',
    ['127.0.0.1'],
  ),
  per_second: key(
    z.number().positive().default(200),
    'Requests per second of one token; more are answered with 429. Twice as many may come at once.',
  ),
  sources: key(
    z.record(name, source).prefault({}),
    'Senders, by the last part of their URL (here `NAME`). Each preset is also a source of its own name.',
  ),
  openc2: key(openc2.prefault({}), 'OpenC2 (`POST /openc2`).'),
  page: key(page.prefault({}), 'The page that shows blocks to people in a browser.'),
}).refine(({ page, trusted_proxies }) => page.proxy_header === undefined || trusted_proxies.length > 0, {
  path: ['page', 'proxy_header'],
  error: 'needs serve.trusted_proxies: the header is believed only if one of these sends it',
}).refine(({ page }) => page.oidc === undefined || page.url !== undefined, {
  path: ['page', 'oidc'],
  error: 'needs serve.page.url: the provider returns people to an address there',
});

export type ServeConfig = z.infer<typeof serve>;
