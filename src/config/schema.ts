import * as z from 'zod';
import { feeds } from './schema/feed-keys.js';
import { firewall } from './schema/firewall-keys.js';
import { file, key, name, path, timeLimit } from './schema/kinds.js';
import { mail, syslog, webhook } from './schema/notify-keys.js';
import { defaults, escalation, policy } from './schema/policy-keys.js';
import { ansible, dispatch, gateway, log } from './schema/running-keys.js';
import { serve } from './schema/serve-keys.js';

/**
 * The schema of firebreak.yml, and the only definition of each key's format, default, description and file kind.
 * `configSchema.parse` reads a configuration, `z.encode` writes one.
 */
export const configSchema = z.strictObject({
  state_dir: key(
    path.default('/var/lib/firebreak'),
    "Folder of the ledger, the run folders and ssh's control sockets. It must be writable and on a local disk. Keep the path short: a socket whose path would be longer than 107 characters goes to `/tmp` instead.",
  ),
  firewalls: key(
    z.record(name, firewall).refine((all) => Object.keys(all).length > 0, 'expected at least one firewall'),
    "One entry per firewall. Its name (here `NAME`) is used in `--firewall`, in answers and as Ansible's host name. A block goes to all firewalls unless `--firewall` names some.",
  ),
  defaults: key(defaults.prefault({}), 'Values that apply where an alarm gives none.'),
  policy: key(
    policy.prefault({}),
    'What may be blocked. A refused alarm is answered with exit code 3 and recorded in the ledger as refused.',
  ),
  escalation: key(
    escalation.prefault({}),
    'A source that was blocked before is blocked for longer. A `--for` on the command line is used unchanged.',
  ),
  dispatch: key(dispatch.prefault({}), 'When alarms are applied, and by which process.'),
  gateway: key(gateway.prefault({}), "The gateway that a SIEM's SSH login is limited to."),
  keep_alarms: key(
    timeLimit.prefault('365d'),
    'How long alarms and blocks that have ended stay in the ledger. `firebreak expire` purges older ones.',
  ),
  ansible: key(ansible.prefault({}), 'How ansible-playbook is run.'),
  mail: key(mail.optional(), 'Mails about failures and other events. Without this section no mail is sent.'),
  templates_dir: key(
    file.optional(),
    'Folder of your own templates. One in its folder `mail` replaces the built-in template of the same name.',
  ),
  webhook: key(
    webhook.optional(),
    'The same events as JSON documents, posted to a chat, a ticket system or a program of yours. They are stored, retried and sent once per incident, like mails.',
  ),
  syslog: key(syslog.optional(), 'Each outcome as a line of RFC 5424 with structured data.'),
  serve: key(
    serve.prefault({}),
    'The HTTP server (`firebreak serve`), which accepts alarms of any SIEM. See docs/serve.md.',
  ),
  feeds: key(feeds.prefault({}), 'What `firebreak serve` asks other programs for.'),
  log: key(log.prefault({}), 'The log file.'),
});

export type Config = z.infer<typeof configSchema>;
export type FirewallConfig = Config['firewalls'][string];
export type MailConfig = NonNullable<Config['mail']>;
export type SyslogConfig = NonNullable<Config['syslog']>;
export type WebhookConfig = NonNullable<Config['webhook']>;
