/** Which step towards a firewall was the last. */
export type UnreachableCause = 'host_key' | 'login' | 'network';

/** What ssh says, which step that is, and what it means for the operator: the first that is found. */
const known: readonly (readonly [RegExp, UnreachableCause, string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/i,
    'host_key',
    'its host key is not the recorded one: if the firewall was replaced, record its new key in known_hosts_file, else somebody stands between',
  ],
  [
    /No .* host key is known|Host key verification failed/i,
    'host_key',
    'its host key is not known: record it in known_hosts_file (ssh-keyscan shows it; compare it at the firewall)',
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
    'it does not answer: check host and port, and the way there',
  ],
];

/** Ansible's own words around what ssh said; they differ by version. */
const wrapping =
  /^(Task failed: )?(Failed to connect to the host via ssh: |(Data could not be sent to|Failed to connect to) (the )?remote host .*?\. Make sure this host can be reached over ssh: )/;

/** Why a firewall was not reached, in a sentence that says what to do, with ssh's own words behind it. */
export function explainUnreachable(message: string): string {
  const said = message
    .replace(wrapping, '')
    .replace(/@{5,}\s*/g, '')
    .trim();
  const meaning = known.find(([pattern]) => pattern.test(message))?.[2];
  return meaning === undefined ? said : `${meaning} (${said})`;
}

/** What stood in the way, by what ssh said; undefined where it is none of the known. */
export const findUnreachableCause = (message: string): UnreachableCause | undefined =>
  known.find(([pattern]) => pattern.test(message))?.[1];
