import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FirebreakError } from '../../core/errors.js';
import { toPrintable } from '../../core/printable.js';
import { handOverTo, intakeSocketOf } from '../../intake/hand-over.js';
import { findSshdFaults, findSshVersion } from '../../runtime/sshd.js';
import { confirm } from '../../setup/confirm.js';
import { gatewayFile, type HostSettings } from '../../setup/host/host-files.js';
import { planInstall, planUninstall, type InstallPlan } from '../../setup/host/host-plan.js';
import { showInstall, showUninstall } from '../../setup/host/host-text.js';
import { applyInstall, applyUninstall } from '../../setup/host/host-write.js';
import { findWrittenFolders } from '../../setup/host/written-folders.js';
import { defineCommand } from '../command.js';

const common = {
  root: { type: 'string', requiresArg: true, default: '/', describe: 'root folder of the host, such as an image' },
  yes: { type: 'boolean', default: false, describe: 'do not ask' },
  'dry-run': { type: 'boolean', default: false, describe: 'show what would change, change nothing' },
} as const;

const options = {
  systemd: { type: 'boolean', default: false, describe: 'for a host with systemd' },
  user: { type: 'string', requiresArg: true, default: 'siem', describe: 'account that the SIEM logs in to' },
  owner: {
    type: 'string',
    requiresArg: true,
    default: 'firebreak',
    describe: 'account that applies alarms and owns key, ledger and audit log; for a trial, the same as --user',
  },
  ...common,
} as const;

/** Sets up the host: the SIEM's account, whose only command is the gateway, and the systemd timers. */
export const install = defineCommand({
  usage: 'install',
  summary: 'set up the accounts and the timers, after showing every change',
  options: (argv) => argv.options(options),
  run: async (args, caller) => {
    if (!args.systemd) throw new FirebreakError('usage', howToInstall());
    const root = resolve(args.root);
    const settings = readSettings(root, args, caller.configFile);
    const plan = planInstall(root, settings);
    const shown = showInstall(plan);
    const files = plan.files.filter(({ state }) => state !== 'same').map(({ path }) => path);
    const made = plan.accounts.filter(([command]) => command === 'useradd').map((command) => command.at(-1));
    const json = { root, files, account: made[0] ?? null, accounts: made, remarks: plan.remarks };
    if (args['dry-run']) return { exit: 0, text: shown, json: { ...json, written: false } };
    await confirmOrAbort(shown, 'Write this?', args);
    const remarks = [
      ...plan.remarks,
      ...(await applyInstall(plan)),
      ...compileProgram(plan),
      ...(await checkSshd(plan)),
    ];
    const wrote =
      files.length === 0 ? ['everything was already in place'] : ['wrote', ...files.map((path) => `  ${path}`)];
    const text = [...wrote, ...remarks, ...nextSteps(plan, settings), ...summarize(plan, settings)].join('\n');
    return { exit: 0, text, json: { ...json, remarks, written: true } };
  },
});

/** Removes what install wrote, except files that were changed since. */
export const uninstall = defineCommand({
  usage: 'uninstall',
  summary: 'remove what install wrote, but not ledger, configuration and keys',
  options: (argv) => argv.options(common),
  run: async (args) => {
    const plan = planUninstall(resolve(args.root));
    const removed = [...plan.links, ...plan.files];
    const account = plan.removeAccounts[0]?.at(-1) ?? null;
    const json = { root: plan.root, files: removed, account, remarks: plan.remarks };
    if (removed.length === 0) {
      const text = ['found nothing that firebreak install wrote', ...plan.remarks].join('\n');
      return { exit: 0, text, json: { ...json, removed: false } };
    }
    const shown = showUninstall(plan);
    if (args['dry-run']) return { exit: 0, text: shown, json: { ...json, removed: false } };
    await confirmOrAbort(shown, 'Remove this?', args);
    await applyUninstall(plan);
    const text = [
      'removed',
      ...removed.map((path) => `  ${path}`),
      ...plan.remarks,
      'ledger, configuration and keys were not removed and now belong to root: /var/lib/firebreak, /etc/firebreak',
    ].join('\n');
    return { exit: 0, text, json: { ...json, removed: true } };
  },
});

/** Stores the compiled program for this version of Node (see compile.ts, which is bundled beside the program). */
function compileProgram({ root }: InstallPlan): string[] {
  if (root !== '/') return [];
  try {
    execFileSync(process.execPath, [join(import.meta.dirname, 'compile.js')], { stdio: 'ignore' });
    return [];
  } catch {
    return ['the compiled program could not be stored: each call takes longer'];
  }
}

/** Checks sshd's effective settings for the account: another file may take precedence over ours. */
async function checkSshd({ root, user }: InstallPlan): Promise<string[]> {
  if (root !== '/') return [];
  const faults = (await findSshdFaults(user, gatewayFile)) ?? [];
  return faults.map((fault) => `sshd does not restrict ${user} to the gateway: ${fault} (sshd -T -C user=${user})`);
}

function readSettings(
  root: string,
  { user, owner }: { user: string; owner: string },
  option: string | undefined,
): HostSettings {
  const configFile = resolve(option ?? '/etc/firebreak/firebreak.yml');
  const program = process.argv[1] ?? '';
  const writable = findWrittenFolders(root, configFile);
  const [stateDir = ''] = writable;
  const handOver = handOverTo(intakeSocketOf(stateDir));
  const openssh = findSshVersion();
  return { user, owner, openssh, program: [process.execPath, program], handOver, configFile, writable };
}

/** @throws FirebreakError usage if the changes are not confirmed */
async function confirmOrAbort(
  shown: string,
  question: string,
  { root, yes }: { root: string; yes: boolean },
): Promise<void> {
  if (resolve(root) === '/' && process.geteuid?.() !== 0) {
    throw new FirebreakError(
      'usage',
      'root is required: run sudo firebreak …, or use --dry-run to see what would change',
    );
  }
  process.stderr.write(`${toPrintable(shown)}\n\n`);
  if (yes) return;
  const { stdin, stderr } = process;
  if (!stdin.isTTY)
    throw new FirebreakError('usage', 'not a terminal: nothing was changed (use --yes to skip the question)');
  if (!(await confirm(question, { input: stdin, output: stderr }))) {
    throw new FirebreakError('usage', 'not confirmed: nothing was changed');
  }
}

/** A container has no systemd: there, one process does what the timers do. */
const howToInstall = (): string =>
  existsSync('/run/systemd/system')
    ? '--systemd is missing: run firebreak install --systemd'
    : 'systemd is not running here: run firebreak run as the main process instead (docs/operations.md), or firebreak install --systemd to prepare a host that boots with it';

/** What is where, in five lines. */
function summarize({ root }: InstallPlan, { user, owner, configFile }: HostSettings): string[] {
  if (root !== '/') return [];
  const timersRun = existsSync('/run/systemd/system');
  return [
    'summary',
    `  alarms         ssh ${user}@this host accepts them, and nothing else`,
    `  changes        the account ${owner} applies them; members of its group may run firebreak, as does sudo firebreak`,
    `  configuration  ${configFile}`,
    '  ledger         /var/lib/firebreak, unless state_dir says otherwise',
    `  timers         ${timersRun ? 'firebreak-expire.timer and firebreak-drain.timer run' : 'do not run: systemd is not running; use firebreak run'}`,
  ];
}

function nextSteps({ root }: InstallPlan, { configFile }: HostSettings): string[] {
  if (root !== '/') return [];
  const steps = [
    ...(existsSync(configFile) ? [] : [`write a configuration: sudo firebreak init --config ${configFile}`]),
    "authorize the SIEM's key: docs/ossim.md, 1",
    `check the setup: sudo firebreak --config ${configFile} doctor`,
  ];
  return ['now', ...steps.map((step, at) => `  ${at + 1}. ${step}`)];
}
