import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../config/package-root.js';
import { describeError } from '../core/describe.js';
import { ok, wrong, type Check } from './check.js';

const again = 'install firebreak again: this file is part of it';

/** Every template that the package brings must parse. */
export function checkTemplates(root = findPackageRoot()): Check {
  const folder = join(root, 'templates');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.hbs'));
  for (const file of files) {
    try {
      Handlebars.precompile(readFileSync(join(folder, file), 'utf8'));
    } catch (error) {
      return wrong('templates', `${join(folder, file)}: ${describeError(error).split('\n')[0] ?? ''}`, again);
    }
  }
  return ok('templates', `${files.length} parse`);
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
  return wrong('playbooks', said[0]?.trim() ?? `ansible-playbook --syntax-check ended with ${exitCode}`, again);
}
