import * as z from 'zod';
import { file, key, listValues, port, secretFile, timeLimit } from './kinds.js';

/** Events that a mail can report; the first four by default. */
const mailKinds = ['failure', 'recovery', 'held', 'drift', 'success', 'digest', 'expiry'] as const;

const hour = 3_600_000;

export const mail = z.strictObject({
  host: key(z.string().min(1), 'SMTP server.'),
  port: key(port.default(25), 'SMTP port.'),
  from: key(z.string().min(3), 'Sender address.'),
  to: key(z.array(z.string().min(3)).min(1), 'List of recipient addresses.', ['soc@example.org']),
  user: key(z.string().optional(), 'Login name, used with `password_file`.'),
  password_file: key(secretFile.optional(), 'File with the password.'),
  tls: key(
    z.enum(['none', 'starttls', 'tls']).optional(),
    '`tls` encrypts from the first byte, `starttls` requires STARTTLS, `none` disables encryption. If not set, STARTTLS is used where the server offers it, and required with `mail.user`: a password is sent in the clear only with `none`.',
  ),
  ca_file: key(
    file.optional(),
    "Certificates (PEM) of the authorities trusted for this server, instead of the public ones. The server's certificate and its name are always verified.",
  ),
  on: key(
    z.array(z.enum(mailKinds)).default(mailKinds.slice(0, 4)),
    `Events that a mail is sent about: any of ${listValues(mailKinds)}.`,
  ),
  digest_at: key(
    z
      .string()
      .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'expected a time of day such as 07:00')
      .default('07:00'),
    "Time of day at which a digest's day ends, on this host's clock.",
  ),
  expiry_notice: key(
    timeLimit.refine((ms) => ms >= hour && ms <= 72 * hour, 'expected 1h to 3d').prefault('24h'),
    'How long before its end a long block is reported (`expiry`): 1h to 3d. It applies to webhooks as well.',
  ),
});

/** Events that a webhook can report; the first four by default. */
const webhookKinds = ['failure', 'recovery', 'held', 'drift', 'expiry'] as const;

export const webhook = z
  .strictObject({
    url: key(
      z
        .string()
        .regex(/^https?:\/\/[^\s/]+/, 'expected an address that begins with https:// or http://')
        .optional(),
      'Address to post to, `https://…` or `http://…`. Set either this or `url_file`.',
      'https://chat.example.org/hooks/firebreak',
    ),
    url_file: key(
      secretFile.optional(),
      'File with the address, for an address that is a secret, such as those of Slack and Teams.',
    ),
    on: key(
      z.array(z.enum(webhookKinds)).default(webhookKinds.slice(0, 4)),
      `Events that are posted: any of ${listValues(webhookKinds)}.`,
    ),
    template: key(
      file.optional(),
      'Handlebars template of the JSON body. If not set, the whole event is posted.',
    ),
    secret_file: key(secretFile.optional(), 'File with the secret that the body is signed with.'),
    headers_file: key(
      secretFile.optional(),
      "File with further headers, one `Name: value` per line, such as an API's token.",
    ),
    ca_file: key(
      file.optional(),
      "Certificates (PEM) of the authorities trusted for this server, instead of the system's.",
    ),
    timeout: key(timeLimit.prefault('10s'), 'How long the whole request may take.'),
  })
  .refine(({ url, url_file }) => (url === undefined) !== (url_file === undefined), 'expected url or url_file');

const facilities = [
  ...['user', 'daemon', 'auth', 'authpriv'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
] as const;

export const syslog = z.strictObject({
  to: key(
    z
      .string()
      .regex(
        /^(?:(?:udp|tcp):\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?|unix:\/.+)$/,
        'expected udp://HOST:PORT, tcp://HOST:PORT or unix:/PATH',
      ),
    '`udp://HOST:PORT`, `tcp://HOST:PORT` (lines are framed by their length, RFC 6587) or `unix:/PATH`, a stream socket. The default port is 514.',
    'udp://192.0.2.50:514',
  ),
  facility: key(z.enum(facilities).default('local0'), 'Syslog facility: `user`, `daemon`, `auth`, `authpriv` or `local0` to `local7`.'),
});
