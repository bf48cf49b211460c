/**
 * Every error that Firebreak reports, with its exit code.
 * Programs match on the code, never on the text.
 */
export const errorExits = {
  usage: 2,
  config_missing: 2,
  config_unreadable: 2,
  config_invalid: 2,
  config_exposed: 2,
  alarm_invalid: 2,
  firewall_unknown: 2,
  ansible_missing: 2,
  ansible_too_old: 2,
  workspace_unwritable: 2,
  ledger_unwritable: 2,
  ledger_corrupt: 2,
  ledger_newer: 2,
  ledger_foreign: 2,
  ledger_busy: 75,
  block_unknown: 2,
  list_invalid: 2,
  gateway_refused: 2,
  gateway_busy: 75,
  gateway_unable: 75,
} as const;

export type ErrorCode = keyof typeof errorExits;

/** An expected error, shown to the user without a stack trace. */
export class FirebreakError extends Error {
  readonly code: ErrorCode;
  readonly exit: number;
  /** The same as the message, one by one, if it lists problems of a request. */
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; problems?: readonly Problem[] }) {
    super(message, options);
    this.name = 'FirebreakError';
    this.problems = options?.problems ?? [];
    this.code = code;
    this.exit = errorExits[code];
  }
}

/** An error and its place: `dst-port: expected 1-65535, got "22;id"`. */
export interface Problem {
  path: string;
  message: string;
}

export const describeProblem = ({ path, message }: Problem): string => (path === '' ? message : `${path}: ${message}`);

/** Quotes a value in a message: one line, printable, truncated. */
export function quoteBack(value: unknown): string {
  const text = typeof value === 'string' ? value : ((JSON.stringify(value) as string | undefined) ?? typeof value);
  const cut = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return `"${cut.replace(/[^\x20-\x7e]/g, '?')}"`;
}

/** Ends a switch over a union: the compiler rejects a missing case. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
