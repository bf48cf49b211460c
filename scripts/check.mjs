// All checks of the sources that need no firewall. Prints one line per check, and the output of a check only if it fails.
// Exit 1 if any fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const bin = (name) => path.join(root, 'node_modules/.bin', name);
const lint = path.join(root, '.tools/lint/bin/ansible-lint');
const latest = path.join(root, '.tools/ansible-latest/bin/ansible-playbook');
const collections = path.join(root, 'playbooks/collections');

function filesIn(folder, extension) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => path.join(folder, name))
    .filter((name) => statSync(path.join(root, name)).isFile());
}

const playbooks = filesIn('playbooks', '.yml').filter((file) => path.dirname(file) === 'playbooks');
const shellScripts = [
  '.ci/run',
  ...['scripts', 'bench', 'templates', 'test'].flatMap((folder) => filesIn(folder, '.sh')),
  ...filesIn('completions', '.bash'),
  ...filesIn('packaging/debian', ''),
];
const syntaxOf = (command) => [command, '--syntax-check', '--inventory', 'localhost,', ...playbooks];

const checks = [
  { name: 'build', command: ['npm', 'run', '--silent', 'build'] },
  { name: 'eslint', command: [bin('eslint'), '.'] },
  { name: 'prettier', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'layers and cycles',
    command: [bin('mocha'), '--reporter', 'dot', path.join(root, 'build/test/unit/layers.test.js')],
  },
  { name: 'terms', command: ['node', 'scripts/terms.mjs'] },
  { name: 'playbook syntax', command: syntaxOf('ansible-playbook'), when: playbooks.length > 0 },
  {
    name: 'playbook syntax, newest Ansible',
    command: syntaxOf(latest),
    when: playbooks.length > 0 && existsSync(latest),
  },
  {
    name: 'ansible-lint, production profile',
    // ansible-lint does not find our collection from a role.
    command: [
      'env',
      `ANSIBLE_COLLECTIONS_PATH=${collections}`,
      lint,
      '--offline',
      '--nocolor',
      'playbooks',
      'inventory',
    ],
    when: existsSync(lint),
  },
  { name: 'shellcheck', command: ['shellcheck', ...shellScripts], when: hasCommand('shellcheck') },
];

function hasCommand(name) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => existsSync(path.join(folder, name)));
}

function passes({ name, command, when = true }, env) {
  if (!when) {
    console.log(`-  ${name}: skipped, not here`);
    return true;
  }
  const [file, ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd: root, env, encoding: 'utf8', stdio: 'pipe' });
  console.log(`${status === 0 ? 'ok' : 'X '} ${name}`);
  if (status !== 0) console.log(`${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`.replace(/^(?=.)/gm, '     '));
  return status === 0;
}

const home = mkdtempSync(path.join(tmpdir(), 'fb-check-'));
try {
  const env = {
    ...process.env,
    ANSIBLE_COLLECTIONS_PATH: path.join(root, 'playbooks/collections'),
    ANSIBLE_HOME: home,
    ANSIBLE_LOCAL_TEMP: home,
    ANSIBLE_LOCALHOST_WARNING: 'False',
  };
  const failed = checks.filter((check) => !passes(check, env));
  process.exitCode = failed.length > 0 ? 1 : 0;
} finally {
  rmSync(home, { recursive: true, force: true });
}
