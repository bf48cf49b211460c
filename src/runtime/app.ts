import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Log } from './logger.js';

/** Where a person watches what is in progress. What each call returns ends the entry. */
export interface Screen {
  /** Follows a run by the events that it writes. */
  watch: (firewall: string, eventsFile: string) => () => void;
  /** Shows something else that is waited for. */
  wait: (where: string, what: string) => () => void;
}

/** What a program needs before the ledger is open. */
export interface Host {
  config: Config;
  configFile: string;
  /** Who asks, in the words of the audit log. */
  actor: string;
  /** This host's name in mails and events. */
  host: string;
  /** The script that node runs, to start a process of our own. */
  program: string;
  /** Says something to the person, beside the result. */
  warn: (message: string) => void;
  /** The log file, opened at the first call and closed at the end of the program. */
  openLog: () => Promise<Log>;
  screen: Screen;
  /** Aborted when the program is told to stop, with the signal's name as the reason. */
  stop: AbortSignal;
  /** From here on a signal aborts `stop`; until then it ends the program. */
  catchSignals: () => void;
}

/** The one context of every use case; lower layers take of it what they need. */
export interface App extends Host {
  ledger: Ledger;
}
