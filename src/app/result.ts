/** What a command gives back: the exit code, and the one result for stdout in both its forms. */
export interface CommandResult {
  exit: number;
  text: string;
  /** The text has colours of ours, and all else in it was made printable. */
  isPrintable?: boolean;
  json: object;
}

/** What every command is handed. */
export interface CommandContext {
  configFile: string | undefined;
  /** Says something to the person, beside the result. */
  tell: (message: string) => void;
}
