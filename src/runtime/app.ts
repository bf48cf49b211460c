import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Log } from './logger.js';

/** Shows a person what is in progress. The function that each call returns ends the entry. */
export interface Screen {
  /** Follows a run by the events it writes. */
  watch: (firewall: string, eventsFile: string) => () => void;
  /** Shows something else that we wait for. */
  wait: (where: string, what: string) => () => void;
}

/** What a program needs before the ledger is open. */
export interface Host {
  config: Config;
  configFile: string;
  /** The caller, as recorded in the audit log. */
  actor: string;
  /** This host's name in mails and events. */
  host: string;
  /** The script that node runs, to start a process of our own. */
  program: string;
  /** Prints a warning besides the result. */
  warn: (message: string) => void;
  /** The log file, opened at the first call and closed at the end of the program. */
  openLog: () => Promise<Log>;
  screen: Screen;
  /** Aborted by a signal to stop, with the signal's name as the reason. */
  stop: AbortSignal;
  /** After this call a signal aborts `stop`; before it, a signal ends the program. */
  catchSignals: () => void;
}

/** The one context of every use case; lower layers take of it what they need. */
export interface App extends Host {
  ledger: Ledger;
}
