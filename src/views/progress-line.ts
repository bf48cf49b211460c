/** What is under way on one firewall, for the person who waits. */
export interface Doing {
  firewall: string;
  /** In the words of Ansible's task, or our own. */
  what: string;
  ms: number;
}

/** One line that fits the terminal: `edge: Reload the rules, prove them in pf (3 s)`, firewalls beside each other. */
export function describeDoing(doings: readonly Doing[], columns: number): string {
  const line = doings
    .map(({ firewall, what, ms }) => `${firewall}: ${withoutRole(what)} (${Math.floor(ms / 1000)} s)`)
    .join(' | ');
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
}

/** Ansible puts the name of the role in front: `pfsense : Look at …`. */
const withoutRole = (task: string): string => task.replace(/^\w+ : /, '');
