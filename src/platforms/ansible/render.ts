import type { FirewallConfig } from '../../config/schema.js';
import type { Flow } from '../../core/flow.js';
import { platformOf } from '../index.js';
import type { Platform } from '../platform.js';
import { compilePackageTemplate, type TemplateHelpers } from '../../runtime/templates.js';

/** One flow as the playbooks accept it (contract: `firebreak_present`, `firebreak_absent`). */
export interface Item extends Flow {
  tracker: number;
  description: string;
}

export interface Batch {
  present: readonly Item[];
  absent: readonly Item[];
  /** Rewrites rules that were changed by hand. */
  fix?: boolean;
}

export interface InventoryHost {
  name: string;
  firewall: FirewallConfig;
  /** Arguments added to each ssh call. */
  sshArgs: readonly string[];
  platform?: Platform | undefined;
}

/** The inventory of a run: one firewall, from the configuration and its platform alone. */
export function renderInventory({ name, firewall, sshArgs, platform = platformOf(firewall) }: InventoryHost): string {
  return render('inventory.yml', {
    name,
    host: firewall.host,
    port: firewall.port,
    user: firewall.user,
    privateKeyFile: firewall.private_key_file,
    sshArgs: sshArgs.join(' '),
    become: firewall.become,
    becomeUser: firewall.become_user,
    vars: { ...platform.vars, ...firewall.vars },
  });
}

/** The batch of a run as JSON, which is YAML that Ansible reads fast; every string is marked unsafe. */
export const renderExtraVars = (batch: Batch): string => render('extra-vars.yml', batch);

function render(template: string, context: object): string {
  const helpers: TemplateHelpers = {
    json: (value) => toJson(defined(value, template)),
    unsafe: (value) => `!unsafe ${toJson(String(defined(value, template)))}`,
    flow: (item) => toJson(markUnsafe(item as Item)), // the template calls it for items only
  };
  return compilePackageTemplate(template, { helpers })(context);
}

/** Handlebars' strict mode does not see a missing name that is a helper's argument. */
function defined(value: unknown, template: string): unknown {
  if (value === undefined) throw new Error(`${template}: a value is missing`);
  return value;
}

const markUnsafe = (item: object): object =>
  Object.fromEntries(
    Object.entries(item).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string' ? { __ansible_unsafe: value } : value,
    ]),
  );

/** JSON in printable ASCII: YAML refuses some characters that JSON allows. */
const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
