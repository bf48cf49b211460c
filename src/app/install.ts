import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FirebreakError } from '../core/errors.js';
import { toPrintable } from '../core/printable.js';
import { confirm } from '../setup/confirm.js';
import { gatewayFile, type HostWords } from '../setup/host/host-files.js';
import { planInstall, planUninstall, type InstallPlan } from '../setup/host/host-plan.js';
import { showInstall, showUninstall } from '../setup/host/host-text.js';
import { carryInstall, carryUninstall } from '../setup/host/host-write.js';
import { findSshdFaults, findSshVersion } from '../runtime/sshd.js';
import { findWrittenFolders } from '../setup/host/written-folders.js';
import type { CommandContext, CommandResult } from './result.js';

export interface HostOptions {
  /** Where the host's files are; another folder than / is only laid out, and nothing is started. */
  root: string;
  /** Goes on without asking. */
  yes: boolean;
  /** Shows what would be done. */
  dryRun: boolean;
}

export interface InstallOptions extends HostOptions {
  systemd: boolean;
  user: string;
  owner: string;
}

const usualConfig = '/etc/firebreak/firebreak.yml';

/** Sets the host up: the SIEM's account, whose only command is the gateway, and what systemd does by the clock. */
export async function install(options: InstallOptions, context: CommandContext): Promise<CommandResult> {
  if (!options.systemd) throw new FirebreakError('usage', 'say what to install: firebreak install --systemd');
  const root = resolve(options.root);
  const words = findWords(root, options, context.configFile);
  const plan = planInstall(root, words);
  const shown = showInstall(plan);
  const files = plan.files.filter(({ standing }) => standing !== 'same').map(({ path }) => path);
  const made = plan.accounts.filter(([command]) => command === 'useradd').map((words) => words.at(-1));
  const json = { root, files, account: made[0] ?? null, accounts: made, remarks: plan.remarks };
  if (options.dryRun) return { exit: 0, text: shown, json: { ...json, written: false } };
  await agree(shown, 'Write this?', options);
  const remarks = [...plan.remarks, ...(await carryInstall(plan)), ...(await checkSshd(plan))];
  const wrote = files.length === 0 ? ['all was there already'] : ['wrote', ...files.map((path) => `  ${path}`)];
  const text = [...wrote, ...remarks, ...nextSteps(plan, words)].join('\n');
  return { exit: 0, text, json: { ...json, remarks, written: true } };
}

/** What sshd says of the account after all: another file may have come before ours. */
async function checkSshd({ root, user }: InstallPlan): Promise<string[]> {
  if (root !== '/') return [];
  const faults = (await findSshdFaults(user, gatewayFile)) ?? [];
  return faults.map((fault) => `sshd does not hold ${user} to the gateway: ${fault} (sshd -T -C user=${user})`);
}

/** Takes out what install wrote and nobody changed since. Ledger, configuration and keys stay. */
export async function uninstall(options: HostOptions): Promise<CommandResult> {
  const plan = planUninstall(resolve(options.root));
  const removed = [...plan.links, ...plan.files];
  const json = {
    root: plan.root,
    files: removed,
    account: plan.removeAccounts[0]?.at(-1) ?? null,
    remarks: plan.remarks,
  };
  if (removed.length === 0) {
    const text = ['nothing that firebreak install wrote is here', ...plan.remarks].join('\n');
    return { exit: 0, text, json: { ...json, removed: false } };
  }
  const shown = showUninstall(plan);
  if (options.dryRun) return { exit: 0, text: shown, json: { ...json, removed: false } };
  await agree(shown, 'Take this out?', options);
  await carryUninstall(plan);
  const text = [
    'took out',
    ...removed.map((path) => `  ${path}`),
    ...plan.remarks,
    "ledger, configuration and keys are where they were, and root's: /var/lib/firebreak, /etc/firebreak",
  ].join('\n');
  return { exit: 0, text, json: { ...json, removed: true } };
}

function findWords(root: string, { user, owner }: InstallOptions, option: string | undefined): HostWords {
  const configFile = resolve(option ?? usualConfig);
  const program = process.argv[1] ?? '';
  const writable = findWrittenFolders(root, configFile);
  return { user, owner, openssh: findSshVersion(), program: [process.execPath, program], configFile, writable };
}

/** @throws FirebreakError usage, where nobody said yes */
async function agree(shown: string, question: string, { root, yes }: HostOptions): Promise<void> {
  if (resolve(root) === '/' && process.geteuid?.() !== 0) {
    throw new FirebreakError('usage', 'this takes root: sudo firebreak …; --dry-run shows what would be done');
  }
  process.stderr.write(`${toPrintable(shown)}\n\n`);
  if (yes) return;
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new FirebreakError('usage', 'nobody is here to say yes: nothing was done; see --yes');
  if (!(await confirm(question, { input: stdin, output: stderr }))) {
    throw new FirebreakError('usage', 'not said yes: nothing was done');
  }
}

function nextSteps({ root }: InstallPlan, { configFile }: HostWords): string[] {
  if (root !== '/') return [];
  const steps = [
    ...(existsSync(configFile) ? [] : [`write a configuration: sudo firebreak init --config ${configFile}`]),
    "let the SIEM's key in: docs/ossim.md, 1",
    `look whether it works: sudo firebreak --config ${configFile} doctor`,
  ];
  return ['now', ...steps.map((step, at) => `  ${at + 1}. ${step}`)];
}
