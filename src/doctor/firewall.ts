import { ulid } from 'ulid';
import type { Config, FirewallConfig } from '../config/schema.js';
import { failWith, faultExits, ok, skipped, warn, type Check } from '../core/check.js';
import type { Flow } from '../core/flow.js';
import { computeTracker } from '../core/tracker.js';
import { withWorkspace } from '../dispatch/run-folder.js';
import { findInterface } from '../intake/alarm.js';
import { findUser } from '../intake/origin.js';
import type { BatchResult } from '../platforms/ansible/events.js';
import { applyPlay, runPlaybook, runDoctor, type RunRequest, type Watch } from '../platforms/ansible/run.js';
import type { RunResult } from '../platforms/ansible/run-result.js';
import { findUnreachableCause, type UnreachableCause } from '../platforms/ansible/ssh-errors.js';
import { lookAtRunner } from '../platforms/ansible/warm-runner.js';
import { platformOf } from '../platforms/index.js';
import type { Platform } from '../platforms/platform.js';
import { checkReach, howToReach } from './reach.js';

const names = { hostKey: 'host key', login: 'login', dryRun: 'dry run', warmRunner: 'warm runner' } as const;

export interface Target {
  name: string;
  firewall: FirewallConfig;
  config: Config;
  stop: AbortSignal;
  watch: Watch;
  /** By default the firewall's own; a test passes another. */
  platform?: Platform;
}

/** Checks the connection to one firewall step by step, and finishes with the dry run of a block. Changes nothing. */
export async function checkFirewall(target: Target): Promise<Check[]> {
  const { firewall, platform = platformOf(firewall) } = target;
  const afterLogin = [...platform.doctor.checks, names.dryRun];
  const reached = await checkReach(firewall);
  if (reached.state !== 'ok') {
    return [reached, ...skipAll([names.hostKey, names.login, ...afterLogin], 'the firewall is unreachable')];
  }
  const diagnosed = await withRun(target, runDoctor);
  if (diagnosed.kind !== 'done') return [reached, ...explainNoLogin(diagnosed, firewall, afterLogin)];
  const login = [ok(names.hostKey, 'matches the recorded key'), ok(names.login, `as ${firewall.user}`)];
  const checks = [reached, ...login, ...diagnosed.result];
  const canBlock = checks.every(({ state }) => state !== 'wrong');
  const dryRun = canBlock ? await checkDryRun(target) : [skipped(names.dryRun, 'fix the problems above first')];
  return [...checks, ...dryRun];
}

const skipAll = (checks: readonly string[], reason: string): Check[] => checks.map((name) => skipped(name, reason));

type Failed = Exclude<RunResult<unknown>, { kind: 'done' }>;

/** Explains why the firewall could not be checked. @param afterLogin the checks that need the login */
function explainNoLogin(failed: Failed, firewall: FirewallConfig, afterLogin: readonly string[]): Check[] {
  const skips = skipAll(afterLogin, 'needs the login');
  if (failed.kind !== 'unreachable') {
    return [failWith(faultExits.firewall)(names.login, describeFailure(failed), null), ...skips];
  }
  const { message } = failed;
  const cause = findUnreachableCause(message);
  const fail = failWith(faultExits.unreachable);
  const fix = cause === undefined ? null : howToLogIn(firewall)[cause];
  if (cause === 'host_key') {
    return [fail(names.hostKey, message, fix), ...skipAll([names.login, ...afterLogin], 'needs the host key')];
  }
  const hostKey = cause === 'login' ? [ok(names.hostKey, 'matches the recorded key')] : [];
  return [...hostKey, fail(names.login, message, fix), ...skips];
}

const howToLogIn = (firewall: FirewallConfig): Record<UnreachableCause, string> => ({
  host_key: `compare "ssh-keyscan -p ${firewall.port} ${firewall.host}" with the key on the firewall's console, then write it to ${firewall.known_hosts_file ?? '~/.ssh/known_hosts'}`,
  login: `try it by hand: ${sshCommand(firewall)}`,
  network: howToReach,
});

/** The login as a command line that shows ssh's whole answer, run by the account that applies changes. */
function sshCommand({ user, host, port, known_hosts_file: hosts, private_key_file: key }: FirewallConfig): string {
  const options = [
    ...(port === 22 ? [] : [`-p ${port}`]),
    ...(hosts === undefined ? [] : [`-o UserKnownHostsFile=${hosts}`]),
    ...(key === undefined ? [] : ['-o IdentitiesOnly=yes', `-i ${key}`]),
  ];
  return `sudo -u ${findUser({})} ssh ${options.join(' ')} ${user}@${host}`.replace('  ', ' ');
}

/** The dry run of a block of documentation addresses (RFC 5737), which are never in use; then its speed. */
async function checkDryRun(target: Target): Promise<Check[]> {
  const flow = documentationFlow(target.firewall);
  const cold = await runDry(target, flow);
  const block = `block ${flow.source} -> ${flow.destination} tcp/22 on ${flow.interface}`;
  const failure = explainDryRun(cold.result);
  if (failure !== undefined)
    return [failWith(faultExits.firewall)(names.dryRun, `${block}: ${failure.message}`, failure.fix)];
  const done = ok(names.dryRun, `${block} succeeded`);
  return target.config.ansible.warm === 0 ? [done] : [done, await checkWarmRunner(target, flow, cold.ms)];
}

/** Starts no runner: the next run does. */
async function checkWarmRunner(target: Target, flow: Flow, coldMs: number): Promise<Check> {
  const { state_dir: stateDir } = target.config;
  const took = `a dry run took ${toSeconds(coldMs)}`;
  if ((await lookAtRunner(stateDir)) === undefined)
    return ok(names.warmRunner, `not running: ${took}; the next run starts it`);
  const warm = await runDry(target, flow, stateDir);
  if (warm.way === 'warm') return ok(names.warmRunner, `${took} without it, ${toSeconds(warm.ms)} with it`);
  return warn(names.warmRunner, `not used (${warm.way}): ${took}`, 'see docs/performance.md, "The warm runner"');
}

const toSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

interface DryRun {
  result: RunResult<BatchResult>;
  ms: number;
  way: string;
}

/** @param stateDir where the warm runner is; undefined runs ansible-playbook itself */
async function runDry(target: Target, flow: Flow, stateDir?: string): Promise<DryRun> {
  const item = { ...flow, tracker: computeTracker(flow), description: 'firebreak doctor' };
  const started = performance.now();
  let way = '';
  const onWay = (taken: string): void => void (way = taken);
  const result = await withRun(target, (request) =>
    runPlaybook({ ...request, stateDir, onWay }, applyPlay({ present: [item], absent: [] }, true, request.workspace)),
  );
  return { result, ms: performance.now() - started, way };
}

function explainDryRun(result: RunResult<BatchResult>): { message: string; fix: string | null } | undefined {
  if (result.kind !== 'done') return { message: describeFailure(result), fix: null };
  const [refused] = result.result.refused ?? [];
  return refused && { message: refused.message, fix: "check the firewall's interfaces in firebreak.yml" };
}

function documentationFlow(firewall: FirewallConfig): Flow {
  const source = '203.0.113.253';
  return {
    type: 'block',
    interface: findInterface(firewall, source) ?? 'wan',
    ipprotocol: 'inet',
    protocol: 'tcp',
    source,
    destination: '198.51.100.253',
    port: '22',
  };
}

/** One run in a temporary folder. */
function withRun<T>(target: Target, work: (request: RunRequest) => Promise<T>): Promise<T> {
  const { name, firewall, config, platform, stop, watch } = target;
  const id = ulid();
  return withWorkspace(id, undefined, (workspace) =>
    work({ id, name, firewall, platform, ansible: config.ansible, workspace, stop, watch }),
  );
}

function describeFailure(failed: Failed): string {
  switch (failed.kind) {
    case 'timeout':
      return `the run took longer than ansible.timeout (${failed.ms / 1000} s)`;
    case 'interrupted':
      return `the run was stopped by ${failed.signal}`;
    case 'unreachable':
    case 'failed':
    case 'not_started':
      return failed.message;
  }
}
