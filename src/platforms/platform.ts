import type * as z from 'zod';
import type { FirewallConfig } from '../config/schema.js';
import type { Check } from '../core/check.js';
import type { Problem } from '../core/errors.js';
import type { Flow } from '../core/flow.js';

/**
 * A kind of firewall, as data: Ansible is the only engine, and the role does the work.
 * @typeParam Facts what the role's doctor reports
 */
export interface Platform<Facts = unknown> {
  /** The folder in `playbooks/roles`; its entries are main, status and doctor. */
  readonly role: string;
  /** Inventory variables of each firewall; `vars` of the configuration override them. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** The maximum length of a rule's description. */
  readonly maxDescription: number;
  /** Why the firewall would accept a rule for this flow but not block exactly this flow; empty if it would. */
  readonly problemsOf: (flow: Flow) => Problem[];
  /** Short texts for the role's error codes that do not read well themselves. */
  readonly causes: Readonly<Record<string, string>>;
  readonly doctor: PlatformDoctor<Facts>;
}

/** What doctor checks on a firewall after the login and before the dry run. */
export interface PlatformDoctor<Facts> {
  /** The names of the checks, in order: without a login they are all skipped. */
  readonly checks: readonly string[];
  /** What the role's doctor.yml reports (`set_stats firebreak`). */
  readonly facts: z.ZodType<Facts>;
  /** A method, so that platforms of different facts fit into one registry. */
  checksOf(facts: Facts, firewall: FirewallConfig): Check[];
}
