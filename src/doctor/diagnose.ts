import { hostname } from 'node:os';
import { locateConfig } from '../config/locate.js';
import { selectFirewalls } from '../config/select.js';
import { skipped, type Check, type Section } from '../core/check.js';
import { FirebreakError } from '../core/errors.js';
import type { Screen } from '../runtime/app.js';
import { openConfig } from '../runtime/become-owner.js';
import { checkActivity } from './activity.js';
import { checkAllowlist } from './allowlist.js';
import { checkFeed } from './feed-check.js';
import { checkFirewall, type Target } from './firewall.js';
import { checkHost, type Loaded } from './host.js';
import { checkLearned } from './learned.js';
import { checkMail } from './mail-server.js';
import { checkObserving } from './observe-mode.js';
import { checkServe } from './serve-server.js';
import { checkSshd } from './sshd-login.js';
import { checkTimers } from './timers.js';

export interface DiagnosisRequest {
  configFile: string | undefined;
  /** All if none is named. */
  firewalls: readonly string[];
  /** Sends a test mail. */
  send: boolean;
  stop: AbortSignal;
  screen: Screen;
}

/**
 * Checks everything that a block needs, in the order in which it is needed. Changes nothing.
 * @throws FirebreakError firewall_unknown; a problem of the configuration is reported as a check
 */
export async function diagnose(request: DiagnosisRequest): Promise<{ sections: Section[] }> {
  const { configFile, firewalls, send, screen } = request;
  const sshd = await checkSshd(); // as root, if we are: the configuration may make us its owner
  const loaded = load(configFile);
  const chosen = 'config' in loaded ? selectFirewalls(loaded.config, firewalls) : [];
  const showing = <T>(where: string, what: string, work: Promise<T>): Promise<T> =>
    work.finally(screen.wait(where, what));
  const host = await showing('this host', 'checks programs and files', checkHost(loaded));
  const allowlist = 'config' in loaded ? await checkAllowlist(loaded.config.state_dir) : [];
  const sections: Section[] = [{ title: 'this host', checks: [...host.checks, ...allowlist, ...sshd] }];
  if (!('config' in loaded)) return { sections };
  const { config } = loaded;
  const mail = await showing('mail', 'contacts the server', checkMail(config, send, hostname()));
  const reports = [
    mail,
    checkTimers(),
    ...(await checkActivity(config.state_dir)),
    ...(await checkServe(config)),
    ...checkFeed(config),
  ];
  sections.push({ title: 'reports', checks: reports });
  for (const [name, firewall] of chosen) {
    const target = { name, firewall, config, stop: request.stop, watch: screen.watch };
    const observing = await checkObserving(config, name);
    const checks = host.canRun ? await checkTarget(target) : [skipped('firewall', 'needs ansible-playbook and ssh')];
    sections.push({ title: `firewall ${name}`, checks: [...observing, ...checks] });
  }
  return { sections };
}

const checkTarget = async (target: Target): Promise<Check[]> => [
  ...(await checkFirewall(target)),
  ...(await checkLearned(target.config, target.name)),
];

/** Loads the configuration and becomes the owner of its state folder; or returns why it cannot be loaded. */
function load(option: string | undefined): Loaded | { error: FirebreakError } {
  try {
    const file = locateConfig(option);
    return { file, config: openConfig(file) };
  } catch (error) {
    if (error instanceof FirebreakError) return { error };
    throw error;
  }
}
