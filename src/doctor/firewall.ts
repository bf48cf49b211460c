import { connect } from 'node:net';
import { ulid } from 'ulid';
import type { DoctorResult } from '../platforms/ansible/events.js';
import { findObstacle, type Obstacle } from '../platforms/ansible/ssh-errors.js';
import { runApply, examine, type RunRequest, type Watch } from '../platforms/ansible/run.js';
import type { Verdict } from '../platforms/ansible/run-result.js';
import { openWorkspace } from '../platforms/ansible/workspace.js';
import type { Config, FirewallConfig } from '../config/schema.js';
import type { Flow } from '../core/flow.js';
import { computeTracker } from '../core/tracker.js';
import { findInterface } from '../intake/alarm.js';
import { note, ok, skipped, wrong, type Check } from '../core/check.js';

const [away, atFault] = [4, 5];

/** Clocks further apart than this make logs hard to compare; blocks go by this host's clock alone. */
const mostSecondsApart = 30;

const names = {
  reach: 'TCP',
  hostKey: 'host key',
  login: 'login',
  python: 'Python',
  become: 'user',
  config: 'config.xml',
  pfctl: 'pfctl',
  reload: 'reload',
  clock: 'clock',
  dryRun: 'dry run',
} as const;

export interface Target {
  name: string;
  firewall: FirewallConfig;
  config: Config;
  stop: AbortSignal;
  watch: Watch;
}

/** Goes the whole way to one firewall, step by step, and ends with the dry run of a block. Changes nothing. */
export async function checkFirewall(target: Target): Promise<Check[]> {
  const reached = await checkReach(target.firewall);
  if (reached.state !== 'ok') return [reached, ...skipFrom('hostKey', 'the firewall is not reached')];
  const looked = await inFolder(target, examine);
  const checks = checksOf(looked, target);
  if (checks.some(({ state }) => state === 'wrong')) {
    const skips = checks.some(({ name }) => name === names.dryRun);
    return [reached, ...checks, ...(skips ? [] : skipEach(['dryRun'], 'what is wrong above comes first'))];
  }
  return [reached, ...checks, await checkDryRun(target)];
}

/** Whether anything listens there. ssh's own words say less, and later. */
function checkReach({ host, port }: FirewallConfig, limitMs = 5000): Promise<Check> {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    const end = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    socket.once('connect', () => end(ok(names.reach, `${place} answers`)));
    socket.once('timeout', () =>
      end(wrong(names.reach, `${place} does not answer within ${limitMs / 1000} s`, howToReach, away)),
    );
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(wrong(names.reach, `${place}: ${networkWords[error.code ?? ''] ?? error.message}`, howToReach, away)),
    );
  });
}

const howToReach = 'check host and port in firebreak.yml, that its sshd runs, and that a rule lets this host in';

const networkWords: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to its network',
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved: no name server answers',
};

function checksOf(verdict: Verdict<DoctorResult>, target: Target): Check[] {
  if (verdict.kind === 'done') return judgeLooks(verdict.result, target);
  if (verdict.kind === 'unreachable') return judgeUnreachable(verdict.message, target);
  return [wrong(names.login, describeVerdict(verdict), null, atFault), ...skipFrom('python', 'the login comes first')];
}

function judgeUnreachable(message: string, { firewall }: Target): Check[] {
  const obstacle = findObstacle(message);
  const hostKey = ok(names.hostKey, 'is the recorded one');
  const mend: Record<Obstacle, string> = {
    host_key: howToRecord(firewall),
    login: `try it by hand: ssh -p ${firewall.port} ${firewall.user}@${firewall.host}, as this account and with the same key`,
    network: howToReach,
  };
  if (obstacle === 'host_key') {
    return [wrong(names.hostKey, message, mend.host_key, away), ...skipFrom('login', 'the host key comes first')];
  }
  return [
    ...(obstacle === 'login' ? [hostKey] : []),
    wrong(names.login, message, obstacle === undefined ? null : mend[obstacle], away),
    ...skipFrom('python', 'the login comes first'),
  ];
}

const howToRecord = ({ host, port, known_hosts_file }: FirewallConfig): string =>
  `compare "ssh-keyscan -p ${port} ${host}" with the key on the firewall's console, then write it to ${known_hosts_file ?? '~/.ssh/known_hosts'}`;

function judgeLooks(seen: DoctorResult, { firewall }: Target): Check[] {
  const { user, missing } = seen;
  const canBecome = user !== '';
  const isPython = seen.python !== '';
  return [
    ok(names.hostKey, 'is the recorded one'),
    ok(names.login, `as ${firewall.user}`),
    isPython
      ? ok(names.python, `${seen.python} (${seen.python_path})`)
      : wrong(names.python, `there is none at ${seen.python_path}`, howToFindPython, atFault),
    canBecome
      ? ok(names.become, `acts as ${user}`)
      : wrong(
          names.become,
          `the login cannot act as ${firewall.become_user}: ${seen.user_error.replace(/\s+/g, ' ')}`,
          howToBecome,
          atFault,
        ),
    ...(canBecome && isPython ? judgeStatus(seen) : skipEach(['config', 'pfctl'], 'the user and Python come first')),
    canBecome ? judgePrograms(seen.reload, missing) : skipped(names.reload, 'the user comes first'),
    judgeClock(seen.clock_ahead),
  ];
}

const howToFindPython =
  'set vars.ansible_python_interpreter of this firewall in firebreak.yml: ls /usr/local/bin/python3* shows it there';
const howToBecome = 'check become, become_user and become_password_file, and the sudo rule on the firewall';

/** pf's rules are read after the configuration: an error of theirs means that the configuration was read. */
function judgeStatus({ status_code: code, status_message: message, rules }: DoctorResult): Check[] {
  const read = ok(
    names.config,
    `read; ${rules === 1 ? '1 rule of ours stands' : `${rules} rules of ours stand`} in it`,
  );
  if (message === '') return [read, ok(names.pfctl, "tells pf's rules")];
  if (code.startsWith('pfctl_')) {
    return [
      ok(names.config, 'read'),
      wrong(names.pfctl, message, 'see pfsense_pfctl, and that this user may ask pf', atFault),
    ];
  }
  return [
    wrong(names.config, message, 'see pfsense_config, and that this user may read it', atFault),
    skipped(names.pfctl, 'config.xml comes first'),
  ];
}

function judgePrograms(reload: string, missing: readonly string[]): Check {
  if (missing.length === 0) return ok(names.reload, reload);
  return wrong(
    names.reload,
    `not on the firewall: ${missing.join(', ')}`,
    'see pfsense_reload_command and pfsense_lock_command in docs/pfsense.md',
    atFault,
  );
}

function judgeClock(ahead: number): Check {
  const apart = Math.abs(ahead);
  const fact = `${apart} s ${ahead < 0 ? 'behind' : 'ahead of'} this host's`;
  if (apart <= mostSecondsApart) return ok(names.clock, apart < 2 ? "agrees with this host's" : fact);
  return note(names.clock, fact, 'let both follow NTP, or times in logs will not match');
}

/** A block of an address that belongs to nobody (RFC 5737), the whole way but for the change. */
async function checkDryRun(target: Target): Promise<Check> {
  const flow = documentationFlow(target.firewall);
  const item = { ...flow, tracker: computeTracker(flow), description: 'firebreak doctor' };
  const verdict = await inFolder(target, (request) => runApply(request, { present: [item], absent: [] }, true));
  const what = `of a block ${flow.source} -> ${flow.destination} tcp/22 on ${flow.interface}`;
  if (verdict.kind !== 'done') return wrong(names.dryRun, `${what}: ${describeVerdict(verdict)}`, null, atFault);
  const [refused] = verdict.result.refused ?? [];
  if (refused === undefined) return ok(names.dryRun, `${what} is clean`);
  return wrong(
    names.dryRun,
    `${what}: ${refused.message}`,
    "check the firewall's interfaces in firebreak.yml",
    atFault,
  );
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

/** One run in a folder that vanishes. */
async function inFolder<T>({ name, firewall, config, stop, watch }: Target, work: (request: RunRequest) => Promise<T>) {
  const id = ulid();
  const workspace = openWorkspace(id, undefined);
  try {
    return await work({ id, name, firewall, ansible: config.ansible, workspace, stop, watch });
  } finally {
    workspace.close();
  }
}

function describeVerdict(verdict: Exclude<Verdict<unknown>, { kind: 'done' }>): string {
  switch (verdict.kind) {
    case 'timeout':
      return `the run took longer than ansible.timeout (${verdict.ms / 1000} s)`;
    case 'interrupted':
      return `the run was ended by ${verdict.signal}`;
    case 'unreachable':
    case 'failed':
    case 'not_started':
      return verdict.message;
  }
}

const order = Object.keys(names) as (keyof typeof names)[]; // its own keys

const skipEach = (which: readonly (keyof typeof names)[], because: string): Check[] =>
  which.map((name) => skipped(names[name], because));

const skipFrom = (first: keyof typeof names, because: string): Check[] =>
  skipEach(order.slice(order.indexOf(first)), because);
