import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { findPackageRoot } from '../config/package-root.js';
import { describeError } from '../core/describe.js';
import { fail, ok, warn, type Check } from '../core/check.js';
import { checkTemplate } from '../runtime/templates.js';

const again = 'install firebreak again: this file is part of it';

/** Every template that the package brings must parse, and each of the operator's that takes the place of one. */
export function checkTemplates(own?: string, root = findPackageRoot()): Check {
  const name = 'templates';
  const brought = findBroken(join(root, 'templates'));
  if (brought.broken !== undefined) return fail(name, brought.broken, again);
  if (own === undefined) return ok(name, `${brought.count} parse`);
  const theirs = findBroken(own);
  if (theirs.broken !== undefined)
    return warn(name, theirs.broken, 'mend it: until then the one of the package is used');
  return ok(name, `${brought.count} parse, and ${theirs.count} in ${own}`);
}

/** How many templates there are, and what is wrong with the first that does not parse. */
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

/** Every playbook that the package brings must parse, by the Ansible that will run it. */
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
  const said = `${stderr}\n${stdout}`.split('\n').filter((line) => /error/i.test(line));
  return fail('playbooks', said[0]?.trim() ?? `ansible-playbook --syntax-check ended with ${exitCode}`, again);
}
