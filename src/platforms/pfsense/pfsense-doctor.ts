import * as z from 'zod';
import type { FirewallConfig } from '../../config/schema.js';
import { failWith, faultExits, ok, skipped, warn, type Check } from '../../core/check.js';
import type { PlatformDoctor } from '../platform.js';

/** What the role's doctor.yml reports: the result of each check, or why there is none. */
const pfsenseFacts = z.object({
  /** Seconds by which the firewall's clock is ahead of this host's. */
  clock_ahead: z.coerce.number(),
  /** The version of Python; empty if there is none. */
  python: z.string(),
  python_path: z.string(),
  /** The user that edits; empty if becoming that user failed. */
  user: z.string(),
  user_error: z.string(),
  /** Why the configuration or pf's rules could not be read; empty if they were, or if reading them was skipped. */
  status_code: z.string(),
  status_message: z.string(),
  rules: z.coerce.number(),
  reload: z.string(),
  /** Programs that are missing. */
  missing: z.array(z.string()),
});
export type PfsenseFacts = z.infer<typeof pfsenseFacts>;

const names = {
  python: 'Python',
  become: 'user',
  config: 'config.xml',
  pfctl: 'pfctl',
  reload: 'reload',
  clock: 'clock',
} as const;

const fail = failWith(faultExits.firewall);

/** Clocks further apart than this make logs hard to compare; blocks expire by this host's clock alone. */
const maxSecondsApart = 30;

export const pfsenseDoctor: PlatformDoctor<PfsenseFacts> = {
  checks: Object.values(names),
  facts: pfsenseFacts,
  checksOf: (facts, firewall) => {
    const canBecome = facts.user !== '';
    return [
      checkPython(facts),
      checkUser(facts, firewall),
      ...(canBecome && facts.python !== '' ? checkRules(facts) : skipRules()),
      canBecome ? checkReload(facts) : skipped(names.reload, 'needs the user'),
      checkClock(facts.clock_ahead),
    ];
  },
};

const checkPython = ({ python, python_path: path }: PfsenseFacts): Check =>
  python === '' ? fail(names.python, `not found at ${path}`, howToFindPython) : ok(names.python, `${python} (${path})`);

const howToFindPython =
  'set vars.ansible_python_interpreter in firebreak.yml (ls /usr/local/bin/python3* on the firewall shows the path)';

function checkUser({ user, user_error: error }: PfsenseFacts, { become_user: becomeUser }: FirewallConfig): Check {
  if (user !== '') return ok(names.become, `acts as ${user}`);
  const detail = `the login cannot act as ${becomeUser}: ${error.replace(/\s+/g, ' ')}`;
  return fail(names.become, detail, howToBecome);
}

const howToBecome = 'check become, become_user and become_password_file, and the sudo rule on the firewall';

/** pf's rules are read after the configuration, so an error from pfctl means that the configuration was read. */
function checkRules({ status_code: code, status_message: message, rules }: PfsenseFacts): Check[] {
  if (message === '') {
    const count = rules === 1 ? '1 Firebreak rule' : `${rules} Firebreak rules`;
    return [ok(names.config, `has ${count}`), ok(names.pfctl, "lists pf's rules")];
  }
  if (code === 'pf_disabled') {
    return [ok(names.config, 'read'), fail(names.pfctl, 'pf is disabled, so no rule is in force', howToEnable)];
  }
  if (code.startsWith('pfctl_')) {
    const fix = 'check pfsense_pfctl, and that this user may run it';
    return [ok(names.config, 'read'), fail(names.pfctl, message, fix)];
  }
  if (/^(edit|filter)_/.test(code)) {
    const fix = 'check the configuration by hand (docs/pfsense.md, "Error codes")';
    return [fail(names.config, message, fix), ok(names.pfctl, "lists pf's rules")];
  }
  return [
    fail(names.config, message, 'check pfsense_config, and that this user may read it'),
    skipped(names.pfctl, 'needs config.xml'),
  ];
}

const howToEnable =
  'clear Disable Firewall in System > Advanced > Firewall & NAT, or run pfctl -e on the firewall if it is clear already';

const skipRules = (): Check[] => [names.config, names.pfctl].map((name) => skipped(name, 'needs the user and Python'));

function checkReload({ reload, missing }: PfsenseFacts): Check {
  if (missing.length === 0) return ok(names.reload, reload);
  const detail = `not on the firewall: ${missing.join(', ')}`;
  return fail(names.reload, detail, 'check pfsense_reload_command and pfsense_lock_command (docs/pfsense.md)');
}

function checkClock(ahead: number): Check {
  const apart = Math.abs(ahead);
  const detail = `${apart} s ${ahead < 0 ? 'behind' : 'ahead of'} this host's`;
  if (apart <= maxSecondsApart) return ok(names.clock, apart < 2 ? "agrees with this host's" : detail);
  return warn(names.clock, detail, 'use NTP on both hosts, otherwise times in logs do not match');
}
