import { selectFirewalls } from '../config/select.js';
import type { App } from '../runtime/app.js';
import { saveKnown } from './fallback.js';

export interface ObserveChange {
  firewalls: string[];
  /** How many blocks that were only observed ended with the mode. */
  ended: number;
  /** Firewalls that observe all the same: the configuration says so. */
  configured: string[];
}

/** Makes alarms dry runs on these firewalls, or ends that. Blocks in force stay, and are still released. */
export async function setObserving(isOn: boolean, names: readonly string[], app: App): Promise<ObserveChange> {
  const { config, ledger } = app;
  const chosen = selectFirewalls(config, names);
  const firewalls = chosen.map(([name]) => name);
  const configured = chosen.filter(([, { mode }]) => mode === 'observe').map(([name]) => name);
  if (isOn) await ledger.beginObserving(firewalls);
  const ended = isOn ? [] : await ledger.endObserving(firewalls.filter((name) => !configured.includes(name)));
  await saveKnown(app);
  return { firewalls, ended: ended.length, configured };
}
