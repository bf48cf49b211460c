import * as z from 'zod';
import type { FirewallConfig } from '../../config/schema.js';
import { failWith, faultExits, ok, skipped, warn, type Check } from '../../core/check.js';
import type { PlatformDoctor } from '../platform.js';

/** What the role's doctor.yml reports: each check's result, or why there is none. */
const pfsenseFacts = z.object({
  /** Seconds by which the firewall's clock is ahead of this host's. */
  clock_ahead: z.coerce.number(),
  /** The version of Python; empty where there is none. */
  python: z.string(),
  python_path: z.string(),
  /** The user that edits; empty where becoming that user failed. */
  user: z.string(),
  user_error: z.string(),
  /** Why the configuration or pf's rules could not be read; empty where they were, or where that was not tried. */
  status_code: z.string(),
  status_message: z.string(),
  rules: z.coerce.number(),
  reload: z.string(),
  /** Programs that are not there. */
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
      canBecome ? checkReload(facts) : skipped(names.reload, 'the user comes first'),
      checkClock(facts.clock_ahead),
    ];
  },
};

const checkPython = ({ python, python_path: path }: PfsenseFacts): Check =>
  python === ''
    ? fail(names.python, `there is none at ${path}`, howToFindPython)
    : ok(names.python, `${python} (${path})`);

const howToFindPython =
  'set vars.ansible_python_interpreter of this firewall in firebreak.yml: ls /usr/local/bin/python3* shows it there';

function checkUser({ user, user_error: error }: PfsenseFacts, { become_user: wanted }: FirewallConfig): Check {
  if (user !== '') return ok(names.become, `acts as ${user}`);
  const detail = `the login cannot act as ${wanted}: ${error.replace(/\s+/g, ' ')}`;
  return fail(names.become, detail, howToBecome);
}

const howToBecome = 'check become, become_user and become_password_file, and the sudo rule on the firewall';

/** pf's rules are read after the configuration: an error of theirs means that the configuration was read. */
function checkRules({ status_code: code, status_message: message, rules }: PfsenseFacts): Check[] {
  if (message === '') {
    const count = rules === 1 ? '1 rule of ours stands' : `${rules} rules of ours stand`;
    return [ok(names.config, `read; ${count} in it`), ok(names.pfctl, "tells pf's rules")];
  }
  if (code === 'pf_disabled') {
    return [ok(names.config, 'read'), fail(names.pfctl, 'pf is disabled, so no rule is in force', howToEnable)];
  }
  if (code.startsWith('pfctl_')) {
    const fix = 'see pfsense_pfctl, and that this user may ask pf';
    return [ok(names.config, 'read'), fail(names.pfctl, message, fix)];
  }
  return [
    fail(names.config, message, 'see pfsense_config, and that this user may read it'),
    skipped(names.pfctl, 'config.xml comes first'),
  ];
}

const howToEnable =
  'clear Disable Firewall in System > Advanced > Firewall & NAT, or run pfctl -e on the firewall if it is clear already';

const skipRules = (): Check[] =>
  [names.config, names.pfctl].map((name) => skipped(name, 'the user and Python come first'));

function checkReload({ reload, missing }: PfsenseFacts): Check {
  if (missing.length === 0) return ok(names.reload, reload);
  const detail = `not on the firewall: ${missing.join(', ')}`;
  return fail(names.reload, detail, 'see pfsense_reload_command and pfsense_lock_command in docs/pfsense.md');
}

function checkClock(ahead: number): Check {
  const apart = Math.abs(ahead);
  const detail = `${apart} s ${ahead < 0 ? 'behind' : 'ahead of'} this host's`;
  if (apart <= maxSecondsApart) return ok(names.clock, apart < 2 ? "agrees with this host's" : detail);
  return warn(names.clock, detail, 'let both follow NTP, or times in logs will not match');
}
