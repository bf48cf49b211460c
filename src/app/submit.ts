import { ulid } from 'ulid';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import type { Block } from '../core/block.js';
import { cleanDescription } from '../core/description.js';
import { FirebreakError } from '../core/errors.js';
import { exitCodeOfAll, type Answer } from '../core/outcome.js';
import { parseAlarm, type AlarmWords } from '../intake/alarm.js';
import { readBlockArguments, type BlockArguments } from '../intake/argv.js';
import { findOrigin } from '../intake/origin.js';
import type { Ledger } from '../ledger/ledger.js';
import { answerToJson } from '../views/json.js';
import { answerToText } from '../views/answer.js';
import { keepKnown, takeSpooled } from './fallback.js';
import { findRun, seeTo } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { openConfig, openLedger } from './context.js';
import { tellHeld } from '../notify/held.js';
import { findMismatches, findPolicies, toKeepBlocks } from './admit.js';

export interface BlockOptions {
  argv: BlockArguments;
  firewalls: readonly string[];
  check: boolean;
  wait: boolean;
  /** Why the policy is not to count this once. */
  override?: string | undefined;
  /** Proves anew what stands, however young its proof is. */
  recheck?: boolean;
}

/** One alarm, all the way: words -> alarm -> policy -> ledger -> run -> answer. */
export async function block(options: BlockOptions, context: CommandContext): Promise<CommandResult> {
  const words = readBlockArguments(options.argv);
  const configFile = locateConfig(context.configFile);
  return blockWords(words, options, { config: openConfig(configFile), configFile }, context);
}

/** The same from its words on, with a configuration that was read already. */
export async function blockWords(
  words: AlarmWords,
  options: Omit<BlockOptions, 'argv'>,
  { config, configFile }: { config: Config; configFile: string },
  context: CommandContext,
): Promise<CommandResult> {
  const alarm = parseAlarm(words, config);
  const override = readOverride(options.override);
  const asked = { firewalls: options.firewalls, override };
  const wanted = toKeepBlocks(alarm, config, { ...asked, policyOf: findPolicies(config) });
  for (const mismatch of findMismatches(wanted, config)) context.tell(mismatch);
  if (options.check) {
    const { wouldBlock } = await import('./dry-run.js');
    return toResult(await wouldBlock(wanted, config));
  }

  const request = { id: ulid(), origin: findOrigin(), context: alarm.context };
  const owner = ulid();
  let ledger: Ledger | undefined;
  let standing: Block[] | undefined;
  try {
    ledger = await openLedger(config);
    await takeSpooled(config, ledger, context.tell);
    // The ledger has seen addresses that must not be blocked and that the configuration does not name.
    const blocks = toKeepBlocks(alarm, config, {
      ...asked,
      policyOf: findPolicies(config, await ledger.findSeen()),
    });
    const kept = await ledger.recordAlarms([{ ...request, blocks }], {
      ...keepOptions(config),
      ...(options.recheck === true && { recheckMs: 0 }),
      owner,
      isHandedOver: !options.wait,
    });
    standing = kept.blocks.flat();
    const parts = { config, ledger, configFile, owner };
    if (kept.isFirstHeld) await tellHeld(config, ledger, context.tell);
    const settled = await seeTo(standing, kept.leases, options.wait, parts, context);
    await keepKnown(config, ledger);
    return toResult({
      ...{ alarm: request.id, check: false, isAwaited: options.wait, blocks: settled, repeated: kept.repeated },
      run: await findRun(standing, settled, ledger),
    });
  } catch (error) {
    // Busy is not broken: whoever is at the ledger must not meet a run that it knows nothing of.
    if (!(error instanceof FirebreakError) || !error.code.startsWith('ledger_')) throw error;
    if (error.code === 'ledger_busy') {
      if (standing === undefined) throw error;
      return toResult({ alarm: request.id, check: false, isAwaited: options.wait, blocks: standing, run: null });
    }
    const { blockWithoutLedger } = await import('./apply-unrecorded.js');
    const answer = await blockWithoutLedger({ request, alarm, asked, error }, config, context);
    return { ...toResult(answer), exit: error.exit };
  } finally {
    await ledger?.close();
  }
}

function readOverride(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const reason = cleanDescription(text);
  if (reason !== '') return reason;
  throw new FirebreakError('usage', '--override-policy: say why, in letters: it is recorded with the block');
}

const keepOptions = ({ dispatch, policy: { limits } }: Config) => ({
  recheckMs: dispatch.recheck,
  sameEventMs: dispatch.same_event,
  limits: limits.hold
    ? {
        perMinute: limits.per_minute,
        active: limits.active,
        perDestination: limits.per_destination,
        reserved: limits.reserved,
        highRisk: limits.high_risk,
      }
    : undefined,
});

const toResult = (answer: Answer): CommandResult => ({
  exit: exitCodeOfAll(answer.blocks, answer.isAwaited),
  text: answerToText(answer),
  json: answerToJson(answer),
});
