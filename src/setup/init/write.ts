import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'yaml';
import { findPackageRoot } from '../../config/package-root.js';
import { configSchema } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import { describeProblem, FirebreakError } from '../../core/errors.js';
import { compilePackageTemplate } from '../../runtime/templates.js';

export interface Plan {
  configFile: string;
  name: string;
  host: string;
  port: number;
  user: string;
  stateDir: string;
  mailTo: string;
  key: boolean;
}

export interface Written {
  files: string[];
  knownHostsFile: string;
  publicKey: string | undefined;
}

/**
 * Writes a configuration and the files that it names. Everything is checked before the first file is written; none is overwritten.
 * @throws FirebreakError usage: an invalid value, or a file that already exists
 */
export async function writeSetup(plan: Plan): Promise<Written> {
  const folder = dirname(plan.configFile);
  const keyFile = plan.key ? join(folder, 'keys', plan.name) : undefined;
  const knownHostsFile = join(folder, 'known_hosts');
  const inventory = join(folder, 'inventory.yml');
  const context = {
    ...plan,
    keyFile,
    knownHostsFile,
    schema: join(findPackageRoot(), 'schema/firebreak.schema.json'),
    sshArgs: `-o StrictHostKeyChecking=yes -o UserKnownHostsFile=${knownHostsFile}`,
    mail: plan.mailTo === '' ? undefined : { host: '127.0.0.1', from: plan.mailTo, to: plan.mailTo },
  };
  const config = render('firebreak.yml', context);
  assertValid(config);
  assertNoneExists([plan.configFile, inventory, ...(keyFile === undefined ? [] : [keyFile, `${keyFile}.pub`])]);
  try {
    mkdirSync(folder, { recursive: true });
    if (keyFile !== undefined) await makeKey(keyFile, plan.name);
    mkdirSync(plan.stateDir, { recursive: true, mode: 0o700 });
    if (!existsSync(knownHostsFile)) writeFileSync(knownHostsFile, '', { mode: 0o644, flag: 'wx' });
    writeFileSync(inventory, render('inventory.yml', context), { mode: 0o600, flag: 'wx' });
    writeFileSync(plan.configFile, config, { mode: 0o600, flag: 'wx' }); // last: if it exists, everything does
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    throw new FirebreakError(
      'usage',
      `cannot write ${folder} or ${plan.stateDir}: ${describeError(error)}; choose others with --config and --state-dir`,
    );
  }
  if (keyFile !== undefined) shareWithGroup(folder, [dirname(keyFile)], 0o750);
  shareWithGroup(folder, [plan.configFile, inventory, ...(keyFile === undefined ? [] : [keyFile])], 0o640);
  return {
    files: [plan.configFile, inventory, knownHostsFile, plan.stateDir, ...(keyFile === undefined ? [] : [keyFile])],
    knownHostsFile,
    publicKey: keyFile === undefined ? undefined : readFileSync(`${keyFile}.pub`, 'utf8').trim(),
  };
}

/** Lets a group read root's files, if it can read their folder. */
function shareWithGroup(folder: string, files: readonly string[], mode: number): void {
  const { uid, gid, mode: folderMode } = statSync(folder);
  if (process.geteuid?.() !== 0 || uid !== 0 || gid === 0 || (folderMode & 0o050) !== 0o050) return;
  for (const file of files) {
    chownSync(file, 0, gid);
    chmodSync(file, mode);
  }
}

function assertValid(config: string): void {
  const parsed = configSchema.safeParse(parse(config));
  if (parsed.success) return;
  const problems = parsed.error.issues.map(({ path, message }) =>
    describeProblem({ path: path.map(String).join('.'), message }),
  );
  throw new FirebreakError('usage', problems.join('\n'));
}

function assertNoneExists(files: readonly string[]): void {
  const existing = files.filter((file) => existsSync(file));
  if (existing.length === 0) return;
  throw new FirebreakError(
    'usage',
    `init does not overwrite existing files: ${existing.join(', ')}; edit them, or move them away first`,
  );
}

async function makeKey(file: string, name: string): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { exitCode, stderr } = await execa(
    'ssh-keygen',
    ['-q', '-t', 'ed25519', '-N', '', '-C', `firebreak-${name}`, '-f', file],
    { reject: false, stdin: 'ignore' },
  );
  if (exitCode === 0) return;
  const why = exitCode === undefined ? 'no such program (apt-get install openssh-client)' : stderr.trim();
  throw new FirebreakError('usage', `ssh-keygen: ${why}; fix it, or run this without --key`);
}

const render = (template: string, context: object): string =>
  compilePackageTemplate(`init/${template}`, { helpers: { json: (value) => JSON.stringify(value) } })(context);
