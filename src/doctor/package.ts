import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { findPackageRoot } from '../config/package-root.js';
import { describeError } from '../core/describe.js';
import { fail, ok, warn, type Check } from '../core/check.js';
import { checkTemplate } from '../runtime/templates.js';

const howToRestore = 'reinstall firebreak, which this file is part of';

/** Every built-in template must parse, and so must the operator's own. */
export function checkTemplates(own?: string, root = findPackageRoot()): Check {
  const name = 'templates';
  const builtIn = findBroken(join(root, 'templates'));
  if (builtIn.broken !== undefined) return fail(name, builtIn.broken, howToRestore);
  if (own === undefined) return ok(name, `${builtIn.count} parse`);
  const custom = findBroken(own);
  if (custom.broken !== undefined) return warn(name, custom.broken, 'fix it; until then the built-in template is used');
  return ok(name, `${builtIn.count} parse, and so do ${custom.count} in ${own}`);
}

/** Counts the templates, and describes the first that does not parse. */
function findBroken(folder: string): { count: number; broken: string | undefined } {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.hbs'));
  for (const file of files) {
    try {
      checkTemplate(readFileSync(join(folder, file), 'utf8'));
    } catch (error) {
      const broken = `${join(folder, file)}: ${describeError(error).split('\n')[0] ?? ''}`;
      return { count: files.length, broken };
    }
  }
  return { count: files.length, broken: undefined };
}

/** Every built-in playbook must parse with the Ansible that will run it. */
export async function checkPlaybooks(
  command: string,
  env: Record<string, string>,
  root = findPackageRoot(),
): Promise<Check> {
  const folder = join(root, 'playbooks');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yml'));
  const { exitCode, stdout, stderr } = await execa(
    command,
    ['--syntax-check', '--inventory', 'localhost,', ...files.map((name) => join(folder, name))],
    { env, extendEnv: false, reject: false, stdin: 'ignore', timeout: 60_000, cwd: folder },
  );
  if (exitCode === 0) return ok('playbooks', `${files.length} parse`);
  const errors = `${stderr}\n${stdout}`.split('\n').filter((line) => /error/i.test(line));
  return fail(
    'playbooks',
    errors[0]?.trim() ?? `ansible-playbook --syntax-check exited with ${exitCode}`,
    howToRestore,
  );
}
