/** The step at which the connection to a firewall failed. */
export type UnreachableCause = 'host_key' | 'login' | 'network';

/** Patterns of ssh's messages, with the step that failed and the message for the operator. The first match wins. */
const known: readonly (readonly [RegExp, UnreachableCause, string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/i,
    'host_key',
    'its host key has changed: if the firewall was replaced, record its new key in known_hosts_file; otherwise the connection may be intercepted',
  ],
  [
    /No .* host key is known|Host key verification failed/i,
    'host_key',
    'its host key is not known: record it in known_hosts_file (ssh-keyscan shows it), and compare it with the firewall console',
  ],
  [/Invalid\/incorrect password/i, 'login', 'it refuses the login: check user and password_file'],
  [
    /Permission denied|Too many authentication failures/i,
    'login',
    'it refuses the login: check user and private_key_file',
  ],
  [/Could not resolve hostname/i, 'network', 'its name cannot be resolved: check host'],
  [/Connection refused/i, 'network', 'nothing listens there: check host and port, and that its sshd runs'],
  [
    /timed out|No route to host|Network is unreachable/i,
    'network',
    'it does not answer: check host, port and the route to it',
  ],
];

/** Ansible's text around ssh's message; it differs by version. */
const wrapping =
  /^(Task failed: )?(Failed to connect to the host via ssh: |(Data could not be sent to|Failed to connect to) (the )?remote host .*?\. Make sure this host can be reached over ssh: )/;

/** Explains why a firewall is unreachable and what to do, with ssh's own message in parentheses. */
export function explainUnreachable(message: string): string {
  const original = message
    .replace(wrapping, '')
    .replace(/@{5,}\s*/g, '')
    .trim();
  const [, cause, meaning] = known.find(([pattern]) => pattern.test(message)) ?? [];
  // ssh's warning of a changed key is a page long; only the new key's fingerprint is not in our sentence.
  const [, type, fingerprint] =
    /fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[\w+/]+)/.exec(message) ?? [];
  if (cause === 'host_key' && fingerprint !== undefined) return `${meaning} (the new key: ${type} ${fingerprint})`;
  return meaning === undefined ? original : `${meaning} (${original})`;
}

/** The step that failed, by ssh's message; undefined if the message is unknown. */
export const findUnreachableCause = (message: string): UnreachableCause | undefined =>
  known.find(([pattern]) => pattern.test(message))?.[1];
