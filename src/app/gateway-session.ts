import { ulid } from 'ulid';
import { loadConfig } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import { formatDuration, parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack, type ErrorCode } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import type { Quota, Session } from '../core/quota.js';
import type { AlarmRequest } from '../intake/alarm.js';
import { readBlockArguments } from '../intake/argv.js';
import { parseGatewayCommand, type GatewayRequest } from '../intake/gateway.js';
import { handOverTo, intakeSocketOf } from '../intake/hand-over.js';
import { findCaller } from '../intake/origin.js';
import type { Ledger } from '../ledger/ledger.js';
import { gatewayComment, readAccounts } from '../runtime/account.js';
import type { Host } from '../runtime/app.js';
import { toAnswerOutput } from '../views/answer.js';
import { count } from '../views/count.js';
import { errorToJson } from '../views/json.js';
import { openLedger, withHost, type Caller } from './context.js';
import { submitAlarm } from './submit.js';

/** The answer to a SIEM's SSH session. */
export interface GatewayAnswer {
  exit: number;
  text: string;
}

type EndSession = () => void | Promise<void>;

/** Who serves a session: a process of its own, or one that takes the alarms of all. */
export interface GatewayServer {
  /** The address of the SSH client, if known. */
  caller: string | undefined;
  /** @returns the session's end; undefined if as many as may be are being served */
  begin: (session: Session, quota: Quota) => Promise<EndSession | undefined>;
  submit: (alarm: AlarmRequest, request: GatewayRequest, host: Host) => Promise<Answer>;
  /** Whether this is the only way: a fault of ours is then answered with exit 75, and otherwise thrown. */
  isLast: boolean;
}

/**
 * Accepts one alarm over SSH, in its own grammar. If it cannot be accepted now, the exit code is 75, so that the
 * caller sends it again.
 * @param alarm its id, if a running Firebreak may have recorded it
 * @throws FirebreakError gateway_refused, gateway_unable; others too unless the caller requests JSON
 */
export async function answerGateway(
  command: string,
  caller: Caller,
  alarm: string | undefined,
): Promise<GatewayAnswer> {
  try {
    return await withHost(caller, (host) => serveSession(command, host, ownServer(host, alarm)));
  } catch (error) {
    throw error instanceof FirebreakError && isOurFault(error) ? unable(error) : error;
  }
}

/** @throws FirebreakError as above; our own faults as they are */
export async function serveSession(command: string, host: Host, server: GatewayServer): Promise<GatewayAnswer> {
  const request = await parse(command, host);
  const { check: isDryRun, json } = request;
  try {
    const answer = await inSession(isDryRun, { host, server }, () => submitRequest(request, host, server));
    const output = toAnswerOutput(answer);
    // Applied, but not recorded: the caller must send it again.
    return { exit: output.exit === 2 ? 75 : output.exit, text: json ? JSON.stringify(output.json) : output.text };
  } catch (error) {
    if (!(error instanceof FirebreakError) || !json || (!server.isLast && isOurFault(error))) throw error;
    const told = isOurFault(error) ? unable(error) : error;
    return { exit: told.exit, text: JSON.stringify(errorToJson(told)) };
  }
}

/** An alarm blocks single hosts only, whatever networks the policy allows an operator, and never forever. */
function submitRequest(request: GatewayRequest, host: Host, server: GatewayServer): Promise<Answer> {
  const { policy } = host.config;
  const config = withHostsOnly(host.config);
  const alarm = limitDuration(readBlockArguments(request.argv), policy.longest, host);
  return server.submit(alarm, request, { ...host, config });
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

/** A session ends when its alarm has been answered. */
async function inSession<T>(
  isDryRun: boolean,
  { host, server }: { host: Host; server: GatewayServer },
  work: () => Promise<T>,
): Promise<T> {
  const { max_sessions: maxSessions, max_per_caller: maxPerCaller } = host.config.gateway;
  const end = await server.begin({ caller: server.caller, isDryRun }, { maxSessions, maxPerCaller });
  if (end === undefined) throw busy(isDryRun, { maxSessions, maxPerCaller });
  try {
    return await work();
  } finally {
    await end();
  }
}

function busy(isDryRun: boolean, { maxSessions, maxPerCaller }: Quota): FirebreakError {
  const alarms = count(maxSessions, 'alarm');
  const limits = `${alarms} at once, ${maxPerCaller} per caller (gateway.max_sessions, max_per_caller)`;
  return new FirebreakError(
    'gateway_busy',
    isDryRun
      ? `busy: at most one dry run and ${limits}; send it again`
      : `busy: at most ${limits}; not recorded, send it again`,
  );
}

/** A process that serves one session. The ledger counts them; one that was killed no longer counts. */
const ownServer = (host: Host, alarm: string | undefined): GatewayServer => ({
  caller: findCaller(),
  begin: (session, quota) => beginInLedger(session, quota, host),
  submit: (request, options, ofSession) => submitAlarm(request, { ...options, alarm }, ofSession),
  isLast: true,
});

async function beginInLedger(session: Session, quota: Quota, host: Host): Promise<EndSession | undefined> {
  let ledger: Ledger;
  try {
    ledger = await openLedger(host);
  } catch (error) {
    if (error instanceof FirebreakError) return () => undefined; // the block itself reports it, and is applied anyway
    throw error;
  }
  const id = ulid();
  const forMs = 4 * host.config.ansible.timeout + 60_000;
  const hasBegun = await ledger.beginSession({ id, ...session, ...quota, forMs });
  if (hasBegun)
    return async () => {
      await ledger.endSession(id);
      await ledger.close();
    };
  await ledger.close();
  return undefined;
}

const notOurs = new Set<ErrorCode>([
  ...(['usage', 'alarm_invalid', 'firewall_unknown', 'gateway_refused'] as const),
  ...(['gateway_busy', 'gateway_unable'] as const),
]);
/** Whether it is not the caller's: the alarm is to be sent again. */
export const isOurFault = ({ code }: FirebreakError): boolean => !notOurs.has(code);

const unable = (error: FirebreakError): FirebreakError =>
  new FirebreakError('gateway_unable', `not recorded, send it again: ${error.message}`, { cause: error });

/** The authorized_keys line that restricts a public key to the gateway. */
export async function makeAuthorizedKey(file: string, configFile: string | undefined): Promise<string> {
  const { renderAuthorizedKey } = await import('../intake/authorized-key.js');
  const account = readAccounts('/').find(({ comment }) => comment === gatewayComment);
  return renderAuthorizedKey(
    file,
    account === undefined ? findLoginCommand(locateConfig(configFile)) : [account.shell],
  );
}

/** What sshd is to run on a host that `install` has not set up. */
const findLoginCommand = (config: string): string[] => [
  ...handOverTo(intakeSocketOf(loadConfig(config).state_dir)),
  ...[process.execPath, process.argv[1] ?? '', 'gateway', '--config', config],
];
