import { ulid } from 'ulid';
import type { StandingRule, StatusResult } from '../platforms/ansible/events.js';
import type { Verdict } from '../platforms/ansible/run-result.js';
import type { Config, FirewallConfig } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { findDrift, type Drift } from '../core/drift.js';
import { parseFlow } from '../core/flow.js';
import { exitCodeOfAll } from '../core/outcome.js';
import type { Parts } from '../dispatch/drain-firewall.js';
import { askFirewall } from '../dispatch/read-status.js';
import { findingFor } from '../dispatch/block-result.js';
import { settleAsked } from '../dispatch/wait.js';
import { findOrigin } from '../intake/origin.js';
import type { NewAlarm } from '../ledger/ledger.js';
import { driftToJson, driftToText } from '../views/drift-view.js';
import { noteAddresses } from '../notify/addresses.js';
import { tellDrift } from '../notify/incidents.js';
import { sendLater } from '../notify/deliver.js';
import { withParts } from './parts.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger, type OpenLedger } from './context.js';

export interface ReconcileOptions {
  fix: boolean;
  firewalls: readonly string[];
}

/** What was found on one firewall; `trouble` where it could not be asked. */
export interface Reconciled {
  firewall: string;
  drift: Drift<StandingRule>[];
  trouble: { exit: number; reason: string } | null;
  /** After --fix: what is still not as it should be. */
  exit: number;
}

/** Compares ledger and firewalls, and with --fix makes the firewalls agree again. */
export async function reconcile({ fix, firewalls }: ReconcileOptions, context: CommandContext): Promise<CommandResult> {
  return withLedger(context, async (open) => {
    const chosen = selectFirewalls(open.config, firewalls);
    const found = await withParts(open, context, (parts) => {
      const setting = { ...open, ...parts, tell: context.tell };
      return Promise.all(chosen.map(([name, settings]) => look(name, settings, setting, fix)));
    });
    await sendLater(open);
    return {
      exit: Math.max(...found.map(({ exit }) => exit)),
      text: found.map((each) => driftToText(each, fix)).join('\n'),
      json: { fixed: fix, firewalls: found.map(driftToJson) },
    };
  });
}

async function look(
  firewall: string,
  settings: FirewallConfig,
  setting: OpenLedger & Parts & Pick<CommandContext, 'tell'>,
  fix: boolean,
): Promise<Reconciled> {
  const { config, ledger } = setting;
  const verdict = await askFirewall(firewall, settings, setting);
  if (verdict.kind !== 'done') return { firewall, drift: [], ...troubleOf(verdict) };
  await noteAddresses(firewall, verdict.result, setting);
  const drift = findDrift(await ledger.findBlocks({ firewalls: [firewall] }), verdict.result);
  if (drift.length > 0) await ledger.recordDrift(firewall, drift.length);
  await tellDrift({ firewall, ...setting }, drift, fix);
  if (!fix || drift.length === 0) return { firewall, drift, trouble: null, exit: drift.length > 0 ? 5 : 0 };
  const asked = await restore(firewall, drift, setting);
  const lease = await ledger.acquireLease(firewall, ulid());
  const blocks = await settleAsked(asked, lease === undefined ? [] : [lease], { ...setting, fix: true });
  const isLeft = drift.some((each) => each.kind === 'unknown' && toAdopt(firewall, each.rule, config) === undefined);
  return { firewall, drift, trouble: null, exit: Math.max(exitCodeOfAll(blocks, true), isLeft ? 5 : 0) };
}

/** What the ledger knows is looked at again; what it does not know, and is ours to the letter, it learns. */
async function restore(firewall: string, drift: readonly Drift<StandingRule>[], { ledger, config }: OpenLedger) {
  const ids = drift.flatMap((each) => ('block' in each ? each.block.id : []));
  await ledger.recheck(ids);
  const alarms = drift.flatMap((each) => (each.kind === 'unknown' ? (toAdopt(firewall, each.rule, config) ?? []) : []));
  const kept = await ledger.recordAlarms(alarms, { recheckMs: 0 });
  return [...(ids.length > 0 ? await ledger.findBlocks({ ids }) : []), ...kept.blocks.flat()];
}

/** An unknown rule as an alarm that asks for it; undefined where somebody made it his own. */
function toAdopt(firewall: string, rule: StandingRule, config: Config): NewAlarm | undefined {
  if (rule.changed) return undefined;
  const request = { ...rule, ipproto: rule.ipprotocol, protocol: rule.protocol || 'any' };
  const parsed = parseFlow(request, { inet: 0, inet6: 0 });
  if (!parsed.ok) return undefined;
  const block = { firewall, flow: parsed.flow, description: rule.description, durationMs: config.defaults.duration };
  return { id: ulid(), origin: `${findOrigin()}, by reconcile`, context: {}, blocks: [block] };
}

function troubleOf(verdict: Exclude<Verdict<StatusResult>, { kind: 'done' }>): Pick<Reconciled, 'trouble' | 'exit'> {
  const finding = findingFor({ tracker: 0, wanted: 'present' }, verdict, true);
  if (finding.kind !== 'trouble') throw new Error('a run that failed found no trouble');
  const exit = { unreachable: 4, failed: 5, stopped: 6, frozen: 7 }[finding.trouble];
  return { trouble: { exit, reason: finding.reason }, exit };
}
