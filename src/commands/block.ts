import { ulid } from 'ulid';
import { locateConfig } from '../config/locate.js';
import { loadConfig } from '../config/load.js';
import { findPolicy } from '../config/policy.js';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { exitCodeOf, exitCodeOfAnswer, type Answer, type Block } from '../core/outcome.js';
import { findRefusal } from '../core/policy.js';
import { computeTracker } from '../core/tracker.js';
import { applyToFirewall, type Applied, type Wanted } from '../dispatch/apply.js';
import { parseAlarm, type Alarm } from '../intake/alarm.js';
import { readBlockArguments, type BlockArguments } from '../intake/argv.js';
import { toJson } from '../report/json.js';
import { toText } from '../report/text.js';
import { watchSignals } from '../runtime/shutdown.js';
import type { CommandContext, CommandResult } from './result.js';

export interface BlockOptions {
  argv: BlockArguments;
  firewalls: readonly string[];
  check: boolean;
}

/** One alarm, all the way: words -> alarm -> policy -> run -> outcome -> report. */
export async function block(options: BlockOptions, context: CommandContext): Promise<CommandResult> {
  const words = readBlockArguments(options.argv);
  const config = loadConfig(locateConfig(context.configFile));
  const alarm = parseAlarm(words, config);
  const signals = watchSignals();
  try {
    const settled = wantedBlocks(alarm, config, options.firewalls).map((wanted) =>
      settle(wanted, config, options.check, signals.stop),
    );
    const applied = await Promise.all(settled);
    const answer: Answer = {
      alarm: ulid(),
      check: options.check,
      blocks: applied.flatMap(({ blocks }) => blocks),
      run: slowestRun(applied),
    };
    if (!options.check) await report(answer, applied, alarm, config, context);
    return { exit: exitCodeOfAnswer(answer), text: toText(answer), json: toJson(answer) };
  } finally {
    signals.release();
  }
}

function wantedBlocks(alarm: Alarm, config: Config, names: readonly string[]): Wanted[] {
  return selectFirewalls(config, names).map(([firewall, settings]) => {
    const flow = alarm.flowOn(settings);
    const { description } = alarm;
    return { id: ulid(), firewall, flow, tracker: computeTracker(flow), description, createdAt: new Date() };
  });
}

type Settled = Partial<Applied> & Pick<Applied, 'blocks'>;

async function settle(wanted: Wanted, config: Config, check: boolean, stop: AbortSignal): Promise<Settled> {
  const firewall = config.firewalls[wanted.firewall];
  if (firewall === undefined) throw new Error(`no firewall ${wanted.firewall}`);
  const refusal = findRefusal(wanted.flow, findPolicy(config));
  if (refusal !== undefined) return { blocks: [{ ...wanted, outcome: { kind: 'refused', reason: refusal } }] };
  return applyToFirewall({ name: wanted.firewall, firewall, wanted: [wanted], config, check, stop });
}

const slowestRun = (applied: readonly Settled[]): Answer['run'] =>
  applied.flatMap(({ run }) => run ?? []).sort((one, other) => other.ms - one.ms)[0] ?? null;

/** Log and mail are loaded only now: they take longer to import than a run takes to start. */
async function report(
  answer: Answer,
  applied: readonly Settled[],
  alarm: Alarm,
  config: Config,
  context: CommandContext,
): Promise<void> {
  const { openLog } = await import('../runtime/logger.js');
  const log = openLog(config.log, context.tell);
  for (const each of answer.blocks) {
    log.info('block settled', { alarm: answer.alarm, ...alarm.context, ...each, run: answer.run?.id });
  }
  const failed = answer.blocks.filter(isFailure);
  if (failed.length > 0 && config.mail !== undefined) {
    const { renderFailureMail, sendMail } = await import('../report/mail.js');
    const record = applied.flatMap(({ folder }) => folder ?? []).join(', ');
    const mail = renderFailureMail(answer, failed, { record, event: alarm.context['event-id'] });
    try {
      await sendMail(config.mail, mail);
    } catch (error) {
      const message = `mail not sent to ${config.mail.to.join(', ')}: ${String(error)}`;
      log.error(message);
      context.tell(message);
    }
  }
  await log.close();
}

/** A refusal by policy is no failure: an attacker could have as many as he likes mailed. */
const isFailure = ({ outcome }: Block): boolean => outcome.kind !== 'refused' && exitCodeOf(outcome) !== 0;
