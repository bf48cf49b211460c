/** The current activity on one firewall. */
export interface Doing {
  firewall: string;
  /** The name of Ansible's task, or Firebreak's own text. */
  what: string;
  ms: number;
}

/** One line that fits the terminal: `edge: Reload the rules, prove them in pf (3 s)`, several firewalls side by side. */
export function describeDoing(doings: readonly Doing[], columns: number): string {
  const line = doings
    .map(({ firewall, what, ms }) => `${firewall}: ${withoutRole(what)} (${Math.floor(ms / 1000)} s)`)
    .join(' | ');
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
}

/** Ansible adds the name of the role: `pfsense : Reload …`. */
const withoutRole = (task: string): string => task.replace(/^\w+ : /, '');
