/** Result of one check: `wrong` prevents blocking, `note` does not, `skipped` could not be checked. */
export type CheckState = 'ok' | 'wrong' | 'note' | 'skipped';

/** One thing that was checked. */
export interface Check {
  name: string;
  state: CheckState;
  /** The finding. */
  detail: string;
  /** How to fix it; null if there is nothing to do. */
  fix: string | null;
  /** The exit code that this failure gives. */
  exit: number;
}

/** Checks that belong together: this host, mail, each firewall. */
export interface Section {
  title: string;
  checks: Check[];
}

/** The name of the check that a firewall only observes: without it, "all checks passed" would say too much. */
export const observeCheck = 'observe';

/** What is at fault, as an exit code: this host and its files, the path to the firewall, the firewall itself. */
export const faultExits = { host: 2, unreachable: 4, firewall: 5 } as const;

export const ok = (name: string, detail: string): Check => ({ name, state: 'ok', detail, fix: null, exit: 0 });

/** A failure with this exit code. */
export const failWith =
  (exit: number) =>
  (name: string, detail: string, fix: string | null): Check => ({ name, state: 'wrong', detail, fix, exit });

/** A failure of this host. */
export const fail = failWith(faultExits.host);

export const warn = (name: string, detail: string, fix: string | null): Check => ({
  name,
  state: 'note',
  detail,
  fix,
  exit: 0,
});

export const skipped = (name: string, because: string): Check => ({
  name,
  state: 'skipped',
  detail: because,
  fix: null,
  exit: 0,
});

/** The first failure's exit code, in the order in which a block needs the checks; 0 if a block would work. */
export const exitOf = (sections: readonly Section[]): number =>
  sections.flatMap(({ checks }) => checks).find(({ state }) => state === 'wrong')?.exit ?? 0;
