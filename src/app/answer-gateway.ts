import { ulid } from 'ulid';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import { formatDuration, parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack, type ErrorCode } from '../core/errors.js';
import { parseGatewayCommand, takeCommand, type GatewayRequest } from '../intake/gateway.js';
import type { AlarmWords } from '../intake/alarm.js';
import { readBlockArguments } from '../intake/argv.js';
import { findCaller, findOrigin } from '../intake/origin.js';
import type { Ledger } from '../ledger/ledger.js';
import { errorToJson } from '../views/json.js';
import { gatewayComment, readAccounts } from '../runtime/account.js';
import { blockWords } from './submit.js';
import type { CommandContext, CommandResult } from './result.js';
import { openConfig, openLedger } from './context.js';

export interface GatewayOptions {
  /** What sshd hands to a login shell behind `-c`. */
  command: string | undefined;
  /** The public half of a key: print its line for authorized_keys instead. */
  authorizedKey: string | undefined;
}

/**
 * The far end of a SIEM's SSH login: takes one alarm, in our own grammar, and is no shell. Nothing of the caller's
 * environment is used. What it cannot take now it says with exit 75, so that the caller keeps the alarm.
 */
export async function gateway(options: GatewayOptions, context: CommandContext): Promise<CommandResult> {
  if (options.authorizedKey !== undefined) return showAuthorizedKey(options.authorizedKey, context);
  const command = takeCommand(process.env) ?? options.command ?? '';
  const { config, configFile } = load(context);
  const request = await parse(command, config, context);
  try {
    const result = await inSession(config, request.check, () => carry(request, config, configFile, context));
    return request.json ? { ...result, text: JSON.stringify(result.json) } : result;
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    const told = isOurFault(error) ? unable(error) : error;
    if (!request.json) throw told;
    const json = errorToJson(told);
    return { exit: told.exit, json, text: JSON.stringify(json) };
  }
}

/** An alarm blocks single hosts, however wide a network the policy lets a person block, and not for ever. */
async function carry(
  request: GatewayRequest,
  config: Config,
  configFile: string,
  context: CommandContext,
): Promise<CommandResult> {
  const narrow: Config = { ...config, policy: { ...config.policy, widest: { inet: 32, inet6: 128 } } };
  const words = capDuration(readBlockArguments(request.argv), config.policy.longest, context);
  const result = await blockWords(words, request, { config: narrow, configFile }, context);
  return result.exit === 2 ? { ...result, exit: 75 } : result; // tried, but not kept: it is to come again
}

/** The block is wanted all the same: so it is made, for a shorter time. */
function capDuration(words: AlarmWords, longest: number | null, { tell }: CommandContext): AlarmWords {
  const asked = words.duration === undefined ? undefined : parseDuration(words.duration);
  if (asked === undefined || longest === null || (asked !== null && asked <= longest)) return words;
  const duration = formatDuration(longest);
  tell(`--for ${formatDuration(asked)} is longer than an alarm may ask for: blocked for ${duration} (policy.longest)`);
  return { ...words, duration };
}

function load(context: CommandContext): { config: Config; configFile: string } {
  try {
    const configFile = locateConfig(context.configFile, {});
    return { configFile, config: openConfig(configFile) };
  } catch (error) {
    throw error instanceof FirebreakError ? unable(error) : error;
  }
}

async function parse(command: string, config: Config, context: CommandContext): Promise<GatewayRequest> {
  try {
    return parseGatewayCommand(command);
  } catch (error) {
    if (error instanceof FirebreakError) await logRefusal(command, error, config, context);
    throw error;
  }
}

async function logRefusal(command: string, error: FirebreakError, config: Config, { tell }: CommandContext) {
  const { openLog } = await import('../runtime/logger.js');
  const log = openLog(config.log, tell);
  log.warn('gateway refused', { from: findOrigin(), command: quoteBack(command), reason: error.message });
  await log.close();
  try {
    const ledger = await openLedger(config);
    await ledger.record({ event: 'gateway refused', command: quoteBack(command), reason: error.message });
    await ledger.close();
  } catch (fault) {
    if (!(fault instanceof FirebreakError)) throw fault;
    tell(`the audit log was not written: ${fault.message}`);
  }
}

/** A session ends when its alarm has been answered; one that is ended by force is not counted any more. */
async function inSession<T>(config: Config, isDryRun: boolean, work: () => Promise<T>): Promise<T> {
  const session = ulid();
  let ledger: Ledger | undefined;
  try {
    ledger = await begin(session, config, isDryRun);
    return await work();
  } finally {
    await ledger?.endSession(session);
    await ledger?.close();
  }
}

async function begin(id: string, config: Config, isDryRun: boolean): Promise<Ledger | undefined> {
  let ledger: Ledger;
  try {
    ledger = await openLedger(config);
  } catch (error) {
    if (error instanceof FirebreakError) return undefined; // the block itself will tell, and is tried all the same
    throw error;
  }
  const { max_sessions: most, max_per_caller: mostOfCaller } = config.gateway;
  const forMs = 4 * config.ansible.timeout + 60_000;
  if (await ledger.beginSession({ id, most, mostOfCaller, forMs, caller: findCaller(), isDryRun })) return ledger;
  await ledger.close();
  const limits = `${most} alarms at once, ${mostOfCaller} of one caller (gateway.max_sessions, max_per_caller)`;
  throw new FirebreakError(
    'gateway_busy',
    isDryRun
      ? `busy: one dry run at a time, and ${limits}; send it again`
      : `busy: at most ${limits}; not kept, send it again`,
  );
}

const callersFault = new Set<ErrorCode>(['usage', 'alarm_invalid', 'firewall_unknown', 'gateway_refused']);
const isOurFault = ({ code }: FirebreakError): boolean => !callersFault.has(code) && code !== 'gateway_busy';

const unable = (error: FirebreakError): FirebreakError =>
  new FirebreakError('gateway_unable', `not kept, send it again: ${error.message}`, { cause: error });

async function showAuthorizedKey(file: string, context: CommandContext): Promise<CommandResult> {
  const { renderAuthorizedKey } = await import('../intake/authorized-key.js');
  const configFile = locateConfig(context.configFile);
  const account = readAccounts('/').find(({ comment }) => comment === gatewayComment);
  const here = [process.execPath, process.argv[1] ?? '', 'gateway', '--config', configFile];
  const line = renderAuthorizedKey(file, account === undefined ? here : [account.shell]);
  return { exit: 0, text: line, json: { line } };
}
