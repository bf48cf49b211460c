import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import type { Parts } from '../dispatch/drain-firewall.js';
import { findOrigin } from '../intake/origin.js';
import { openLedger as openAnyLedger } from '../ledger/index.js';
import type { Ledger } from '../ledger/ledger.js';
import { becomeOwner } from '../runtime/become-owner.js';
import type { CommandContext } from './result.js';

/** What a command works with that reads or changes what stands. */
export interface OpenLedger extends Pick<Parts, 'config' | 'ledger'> {
  configFile: string;
}

/** Reads the configuration, and goes on as the account whose state it names. */
export function openConfig(file: string): Config {
  const config = loadConfig(file);
  becomeOwner(config.state_dir);
  return config;
}

export async function openLedger(config: Config): Promise<Ledger> {
  const ledger = await openAnyLedger({
    file: join(config.state_dir, 'ledger.db'),
    audit: { file: auditFileOf(config), keyFile: auditKeyOf(config) },
    patienceMs: config.dispatch.patience,
  });
  return ledger.as(findOrigin());
}

/** Every decision, a line each. */
export const auditFileOf = (config: Config): string => join(config.state_dir, 'audit.jsonl');

/** What signs them. */
export const auditKeyOf = (config: Config): string => join(config.state_dir, 'audit.key');

/**
 * Opens configuration and ledger, and closes it when the work has ended.
 * @throws FirebreakError of the configuration or the ledger
 */
export async function withLedger<T>(context: CommandContext, work: (open: OpenLedger) => Promise<T>): Promise<T> {
  const configFile = locateConfig(context.configFile);
  const config = openConfig(configFile);
  const ledger = await openLedger(config);
  try {
    return await work({ config, ledger, configFile });
  } finally {
    await ledger.close();
  }
}
