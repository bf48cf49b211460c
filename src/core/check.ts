/** How one look ended: `wrong` stops the main job, `note` does not, `skipped` could not be looked at. */
export type CheckState = 'ok' | 'wrong' | 'note' | 'skipped';

/** One thing that was looked at. */
export interface Check {
  name: string;
  state: CheckState;
  /** What was seen. */
  fact: string;
  /** What to do about it; null where nothing is to be done. */
  mend: string | null;
  /** The exit code that this mistake gives: 2 of this host and its files, 4 firewall away, 5 firewall at fault. */
  exit: number;
}

/** Checks that belong together: this host, mail, each firewall. */
export interface Section {
  title: string;
  checks: Check[];
}

export const ok = (name: string, fact: string): Check => ({ name, state: 'ok', fact, mend: null, exit: 0 });

export const wrong = (name: string, fact: string, mend: string | null, exit = 2): Check => ({
  name,
  state: 'wrong',
  fact,
  mend,
  exit,
});

export const note = (name: string, fact: string, mend: string | null): Check => ({
  name,
  state: 'note',
  fact,
  mend,
  exit: 0,
});

export const skipped = (name: string, because: string): Check => ({
  name,
  state: 'skipped',
  fact: because,
  mend: null,
  exit: 0,
});

/** The first mistake's exit code, in the order in which things are needed; 0 where the main job would work. */
export const exitOf = (sections: readonly Section[]): number =>
  sections.flatMap(({ checks }) => checks).find(({ state }) => state === 'wrong')?.exit ?? 0;
