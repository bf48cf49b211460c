import { ulid } from 'ulid';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import { formatDuration, parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack, type ErrorCode } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import type { AlarmRequest } from '../intake/alarm.js';
import { readBlockArguments } from '../intake/argv.js';
import { parseGatewayCommand, type GatewayRequest } from '../intake/gateway.js';
import { findCaller } from '../intake/origin.js';
import type { Ledger } from '../ledger/ledger.js';
import { gatewayComment, readAccounts } from '../runtime/account.js';
import type { Host } from '../runtime/app.js';
import { openLedger, withHost, type Caller } from './context.js';
import { submitAlarm } from './submit.js';

/** The answer to a SIEM's SSH session. */
export interface GatewayAnswer {
  answer: Answer | FirebreakError;
  /** Whether the caller requested JSON. */
  json: boolean;
}

/**
 * Accepts one alarm over SSH, in its own grammar. If it cannot be accepted now, the exit code is 75, so that the
 * caller sends it again.
 * @throws FirebreakError gateway_refused, gateway_unable; others too unless the caller requests JSON
 */
export async function answerGateway(command: string, caller: Caller): Promise<GatewayAnswer> {
  return asUnable(() =>
    withHost(caller, async (host) => {
      const request = await parse(command, host);
      try {
        return { answer: await inSession(host, request.check, () => submitRequest(request, host)), json: request.json };
      } catch (error) {
        if (!(error instanceof FirebreakError) || !request.json) throw error;
        return { answer: isOurFault(error) ? unable(error) : error, json: true };
      }
    }),
  );
}

/** Turns a fault that is not the caller's into exit 75: the alarm is to be sent again. */
async function asUnable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FirebreakError && isOurFault(error) ? unable(error) : error;
  }
}

/** An alarm blocks single hosts only, whatever networks the policy allows an operator, and never forever. */
async function submitRequest(request: GatewayRequest, host: Host): Promise<Answer> {
  const { policy } = host.config;
  const config = withHostsOnly(host.config);
  const alarm = limitDuration(readBlockArguments(request.argv), policy.longest, host);
  return submitAlarm(alarm, request, { ...host, config });
}

/** The policy of requests that no person makes. */
export const withHostsOnly = (config: Config): Config => ({
  ...config,
  policy: { ...config.policy, widest: { inet: 32, inet6: 128 } },
});

/** Shortens a request that is longer than the policy allows, rather than refuse it. */
export function limitDuration(alarm: AlarmRequest, longest: number | null, { warn }: Pick<Host, 'warn'>): AlarmRequest {
  const requested = alarm.duration === undefined ? undefined : parseDuration(alarm.duration);
  if (requested === undefined || longest === null || (requested !== null && requested <= longest)) return alarm;
  const duration = formatDuration(longest);
  warn(
    `--for ${formatDuration(requested)} is longer than an alarm may request: blocked for ${duration} (policy.longest)`,
  );
  return { ...alarm, duration };
}

async function parse(command: string, host: Host): Promise<GatewayRequest> {
  try {
    return parseGatewayCommand(command);
  } catch (error) {
    if (error instanceof FirebreakError) await recordRefusal(command, error, host);
    throw error;
  }
}

async function recordRefusal(command: string, error: FirebreakError, host: Host): Promise<void> {
  const log = await host.openLog();
  log.warn('gateway refused', { from: host.actor, command: quoteBack(command), reason: error.message });
  try {
    const ledger = await openLedger(host);
    await ledger.record({ event: 'gateway refused', command: quoteBack(command), reason: error.message });
    await ledger.close();
  } catch (fault) {
    if (!(fault instanceof FirebreakError)) throw fault;
    host.warn(`the audit log was not written: ${fault.message}`);
  }
}

/** A session ends when its alarm has been answered; a killed one no longer counts. */
async function inSession<T>(host: Host, isDryRun: boolean, work: () => Promise<T>): Promise<T> {
  const session = ulid();
  let ledger: Ledger | undefined;
  try {
    ledger = await begin(session, host, isDryRun);
    return await work();
  } finally {
    await ledger?.endSession(session);
    await ledger?.close();
  }
}

async function begin(id: string, host: Host, isDryRun: boolean): Promise<Ledger | undefined> {
  let ledger: Ledger;
  try {
    ledger = await openLedger(host);
  } catch (error) {
    if (error instanceof FirebreakError) return undefined; // the block itself reports it, and is applied anyway
    throw error;
  }
  const { gateway, ansible } = host.config;
  const { max_sessions: maxSessions, max_per_caller: maxPerCaller } = gateway;
  const forMs = 4 * ansible.timeout + 60_000;
  if (await ledger.beginSession({ id, maxSessions, maxPerCaller, forMs, caller: findCaller(), isDryRun }))
    return ledger;
  await ledger.close();
  const limits = `${maxSessions} alarms at once, ${maxPerCaller} per caller (gateway.max_sessions, max_per_caller)`;
  throw new FirebreakError(
    'gateway_busy',
    isDryRun
      ? `busy: at most one dry run and ${limits}; send it again`
      : `busy: at most ${limits}; not recorded, send it again`,
  );
}

const notOurs = new Set<ErrorCode>([
  ...(['usage', 'alarm_invalid', 'firewall_unknown', 'gateway_refused'] as const),
  ...(['gateway_busy', 'gateway_unable'] as const),
]);
const isOurFault = ({ code }: FirebreakError): boolean => !notOurs.has(code);

const unable = (error: FirebreakError): FirebreakError =>
  new FirebreakError('gateway_unable', `not recorded, send it again: ${error.message}`, { cause: error });

/** The authorized_keys line that restricts a public key to the gateway. */
export async function makeAuthorizedKey(file: string, configFile: string | undefined): Promise<string> {
  const { renderAuthorizedKey } = await import('../intake/authorized-key.js');
  const account = readAccounts('/').find(({ comment }) => comment === gatewayComment);
  const config = locateConfig(configFile);
  const here = [process.execPath, process.argv[1] ?? '', 'gateway', '--config', config];
  return renderAuthorizedKey(file, account === undefined ? here : [account.shell]);
}
