import { hostname } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { openWorkspace } from '../platforms/ansible/workspace.js';
import { findChildEnvironment } from '../config/child-environment.js';
import { locateConfig } from '../config/locate.js';
import { findPackageRoot } from '../config/package-root.js';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { FirebreakError, type ErrorCode } from '../core/errors.js';
import { exitOf, ok, skipped, wrong, type Check, type Section } from '../core/check.js';
import { checkDisk, checkLedger, checkStateFolder, skipLedger } from '../doctor/state.js';
import { checkFirewall } from '../doctor/firewall.js';
import { checkLearned } from '../doctor/learned.js';
import { checkMail } from '../doctor/mail-server.js';
import { checkPlaybooks, checkTemplates } from '../doctor/package.js';
import { checkAnsible, checkNode, checkSsh, checkSshpass } from '../doctor/programs.js';
import { checksToJson, checksToText } from '../views/checks.js';
import { checkSshd } from '../doctor/sshd-login.js';
import { checkTimers } from '../doctor/timers.js';
import { watchSignals } from '../runtime/shutdown.js';
import { startProgress } from './progress.js';
import type { CommandContext, CommandResult } from './result.js';
import { openConfig } from './context.js';

export interface DoctorOptions {
  /** Sends a test mail. */
  send: boolean;
  firewalls: readonly string[];
  isColoured: boolean;
}

interface Loaded {
  file: string;
  config: Config;
}

/** Looks at all that a block needs, in the order in which it is needed, and says how to mend what is wrong. */
export async function doctor(options: DoctorOptions, context: CommandContext): Promise<CommandResult> {
  const sshd = await checkSshd(); // as root, if we are: from here on we may be somebody else
  const loaded = load(context.configFile);
  const chosen = 'config' in loaded ? selectFirewalls(loaded.config, options.firewalls) : [];
  const signals = watchSignals();
  const progress = startProgress();
  const showing = <T>(where: string, what: string, work: Promise<T>): Promise<T> =>
    work.finally(progress.wait(where, what));
  try {
    const host = await showing('this host', 'looks at programs and files', checkHost(loaded));
    const sections: Section[] = [{ title: 'this host', checks: [...host.checks, ...sshd] }];
    if ('config' in loaded) {
      const { config } = loaded;
      const mail = await showing('mail', 'asks the server', checkMail(config, options.send, hostname()));
      sections.push({ title: 'reports', checks: [mail, checkTimers()] });
      for (const [name, firewall] of chosen) {
        const checks = host.canRun
          ? [
              ...(await checkFirewall({ name, firewall, config, stop: signals.stop, watch: progress.watch })),
              ...(await checkLearned(config.state_dir, name)),
            ]
          : [skipped('firewall', 'ansible-playbook and ssh come first')];
        sections.push({ title: `firewall ${name}`, checks });
      }
    }
    return {
      exit: exitOf(sections),
      text: checksToText(sections, options.isColoured),
      isPrintable: true,
      json: checksToJson(sections),
    };
  } finally {
    progress.close();
    signals.release();
  }
}

function load(option: string | undefined): Loaded | { error: FirebreakError } {
  try {
    const file = locateConfig(option);
    return { file, config: openConfig(file) };
  } catch (error) {
    if (error instanceof FirebreakError) return { error };
    throw error;
  }
}

async function checkHost(loaded: Loaded | { error: FirebreakError }): Promise<{ checks: Check[]; canRun: boolean }> {
  const child = findChildEnvironment();
  const config = 'config' in loaded ? loaded.config : undefined;
  const command = config?.ansible.playbook_command ?? 'ansible-playbook';
  const workspace = openWorkspace(ulid(), undefined);
  const env = {
    ...child,
    ANSIBLE_CONFIG: join(findPackageRoot(), 'playbooks/ansible.cfg'),
    LC_ALL: 'C.UTF-8',
    ANSIBLE_HOME: workspace.file('tmp'),
    ANSIBLE_LOCAL_TEMP: workspace.file('tmp'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_LOCALHOST_WARNING: 'False',
  };
  try {
    const ansible = await checkAnsible(command, env);
    const ssh = checkSsh(child.PATH);
    const sshpass = config && checkSshpass(config, ansible.version, child.PATH);
    const isAnsible = ansible.check.state !== 'wrong';
    const checks = [
      checkNode(),
      ansible.check,
      ssh,
      ...(sshpass ? [sshpass] : []),
      ...(await checkConfiguration(loaded)),
      checkTemplates(config?.templates_dir),
      isAnsible ? await checkPlaybooks(command, env) : skipped('playbooks', 'ansible-playbook comes first'),
    ];
    return { checks, canRun: isAnsible && ssh.state === 'ok' && sshpass?.state === 'ok' };
  } finally {
    workspace.close();
  }
}

const howToMend: Partial<Record<ErrorCode, string>> = {
  config_missing: 'firebreak init writes one',
  config_exposed: 'the command at its end mends it; who could write it until now?',
};

async function checkConfiguration(loaded: Loaded | { error: FirebreakError }): Promise<Check[]> {
  const name = 'config';
  if ('error' in loaded) {
    const { code, message } = loaded.error;
    return [wrong(name, message.split('\n').join('; '), howToMend[code] ?? 'docs/configuration.md knows every key')];
  }
  const { file, config } = loaded;
  const state = checkStateFolder(config.state_dir);
  return [
    ok(name, `${file}, ${Object.keys(config.firewalls).length} firewall(s)`),
    state,
    checkDisk(config.state_dir),
    state.state === 'ok' ? await checkLedger(config.state_dir) : skipLedger(),
  ];
}
