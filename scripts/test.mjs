// Runs all tests of the built project: those that depend on Ansible with each installed version, the others once, and
// the unit tests and the demo on each Node in .tools/ as well.
// Last line: `N passed, N failed`. Exit 1 if a test failed or none ran.
//
//   npm test -- [--unit] [--ansible system|latest] [--only FILE] [--grep TEXT]
//
// Files of test/integration and test/cli in `withBoth` run with each Ansible, the others with one, which the hash of
// their name chooses.
//
// --unit runs the tests that start no process, in seconds; --only the test files whose name contains FILE.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js');
const reporter = path.join(root, 'scripts/counting-reporter.mjs');
const { values: options } = parseArgs({
  options: {
    unit: { type: 'boolean' },
    ansible: { type: 'string' },
    only: { type: 'string', default: '' },
    grep: { type: 'string' },
  },
});

/** Built test files of these folders, found by their source, because a deleted source leaves its old build behind. */
function builtTests(...folders) {
  return folders.flatMap((folder) => {
    const source = path.join(root, 'test', folder);
    if (!existsSync(source)) return [];
    return readdirSync(source, { recursive: true })
      .filter((name) => name.endsWith('.test.ts') && path.basename(name).includes(options.only))
      .sort()
      .map((name) => path.join(root, 'build/test', folder, name.replace(/\.ts$/, '.js')));
  });
}

function firstOnPath(name) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => !folder.startsWith(root));
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

/** The Ansibles of this machine: `{ name, file, version }`. */
function findAnsibles() {
  const system = existsSync('/usr/bin/ansible-playbook')
    ? '/usr/bin/ansible-playbook'
    : firstOnPath('ansible-playbook');
  const latest = path.join(root, '.tools/ansible-latest/bin/ansible-playbook');
  return [
    { name: 'system', file: system },
    { name: 'latest', file: latest },
  ]
    .filter(({ file }) => file !== undefined && existsSync(file))
    .map(({ name, file }) => {
      const [firstLine = ''] = execFileSync(file, ['--version'], { encoding: 'utf8' }).split('\n');
      return { name, file, version: /core ([^\]]+)/.exec(firstLine)?.[1] ?? firstLine };
    });
}

/** A folder for the front of PATH with Ansible's commands only, so that node, ssh and python stay the same. */
function folderOf(ansible) {
  const folder = path.join(root, 'build/ansible', ansible.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const from = path.dirname(ansible.file);
  for (const name of readdirSync(from).filter((name) => /^ansible(-[a-z]+)?$/.test(name))) {
    symlinkSync(path.join(from, name), path.join(folder, name));
  }
  return folder;
}

const children = new Set();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    for (const child of children) child.kill(signal);
  });
}

/** How long mocha may take to exit after its last test: a timer or a socket that a test left open would keep it. */
const exitMs = 60_000;

/** Runs mocha on this Node and returns its exit code; passes its output to `say` as it arrives. */
function runMocha(node, args, env, say) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [mocha, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', say);
    let deadline = Infinity;
    const watch = setInterval(() => {
      if (deadline === Infinity && existsSync(env.FIREBREAK_TEST_COUNTS)) deadline = performance.now() + exitMs;
      if (performance.now() > deadline) child.kill('SIGKILL');
    }, 1000);
    child.once('error', reject).once('close', (exitCode, signal) => {
      clearInterval(watch);
      children.delete(child);
      resolve(exitCode ?? signal);
    });
  });
}

/** Runs one part and returns its counts and failures; a mocha that dies before it has counted is one failure. */
async function runPart({ title, files, extraEnv = {}, timeoutMs, node = process.execPath }, say) {
  say(`\n── ${title} ${'─'.repeat(Math.max(0, 76 - title.length))}\n`);
  const folder = mkdtempSync(path.join(tmpdir(), 'fb-counts-'));
  const countsFile = path.join(folder, 'counts.json');
  const hooks = path.join(root, 'build/test/hooks.js');
  const grep = options.grep === undefined ? [] : ['--grep', options.grep];
  const look = process.stdout.isTTY ? '--color' : '--no-color';
  const fixed = [look, '--reporter', reporter, '--require', hooks, '--timeout', String(timeoutMs)];
  const args = [...fixed, ...grep, ...files];
  const env = { ...process.env, ...extraEnv, FIREBREAK_TEST_COUNTS: countsFile };
  try {
    const code = await runMocha(node, args, env, say);
    if (!existsSync(countsFile)) {
      const failure = `mocha exited with ${code} before it ran a test`;
      say(`${failure}\n`);
      return { title, passed: 0, failed: 1, pending: 0, failures: [failure] };
    }
    const counts = { title, ...JSON.parse(readFileSync(countsFile, 'utf8')) };
    return code !== 0 && counts.failed === 0
      ? { ...counts, failed: 1, failures: [`mocha exited with ${code}; a test may have left something open`] }
      : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs parts on a few workers, the longest first. Each part prints when it has ended, so that no two are mixed; a line
 * on standard error says how many have.
 */
async function runAll(parts) {
  const queue = parts.filter(({ files }) => files.length > 0);
  const counts = [];
  const total = queue.length;
  async function work() {
    for (let part = queue.shift(); part !== undefined && !stopped; part = queue.shift()) {
      const lines = [];
      const begun = performance.now();
      const found = await runPart(part, (text) => lines.push(text));
      counts.push({ ...found, seconds: Math.round((performance.now() - begun) / 1000) });
      process.stdout.write(lines.join(''));
      if (process.stderr.isTTY) process.stderr.write(`${counts.length} of ${total} parts have run\n`);
    }
  }
  // One more than there are processors, because tests of time limits mostly wait.
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));
  return counts;
}

/** What depends on the version of Ansible: the role, and how we start it. Each runs with both. */
const withBoth = new Set([
  ...['ansible-doc', 'block', 'demo', 'pfsense-docs', 'playbooks', 'playbooks-mail', 'role-batch', 'role-become'],
  ...['role-by-hand', 'role-check', 'role-faults', 'role-proof', 'role-recovery', 'role-rule', 'role-versions'],
  ...['secrets', 'warm'],
]);

/** Of these, with Debian's Ansible without a warm runner, which all others use. */
const coldToo = new Set([
  ...['demo', 'playbooks', 'playbooks-mail', 'role-become', 'role-by-hand', 'role-faults', 'role-recovery', 'secrets'],
  ...['warm'],
]);

/** Those that take more than a minute, the longest first: begun last, one would run alone at the end. */
const longest = [
  'role-concurrency',
  'ledger',
  'role-faults',
  'host',
  'role-property',
  'two-accounts',
  'hostile-firewall',
];

const nameOf = (file) => path.basename(file, '.test.js');
const rankOf = ({ files: [file] }) => (longest.indexOf(nameOf(file)) + longest.length + 1) % (longest.length + 1);

/** Which Ansible a file that runs once gets: by its own name alone, so that a new file changes nothing for the others. */
const choiceOf = (file) => createHash('sha256').update(nameOf(file)).digest()[0];

function findAnsibleParts() {
  const all = builtTests('integration', 'cli');
  const ansibles = findAnsibles().filter(({ name }) => (options.ansible ?? name) === name);
  return ansibles.flatMap((ansible, index) => {
    const extraEnv = {
      PATH: `${folderOf(ansible)}${path.delimiter}${process.env.PATH ?? ''}`,
    };
    const once = all.filter((file) => !withBoth.has(nameOf(file)) && choiceOf(file) % ansibles.length === index);
    return [...all.filter((file) => withBoth.has(nameOf(file))), ...once].map((file) => {
      const isCold = ansible.name === 'system' && coldToo.has(nameOf(file));
      return {
        title: `${nameOf(file)}, Ansible ${ansible.version} (${ansible.name})`,
        files: [file],
        extraEnv: { ...extraEnv, FIREBREAK_TEST_WARM: isCold ? '0' : '1' },
        timeoutMs: 120_000,
      };
    });
  });
}

/** What shows on a later Node that the program runs there: the unit tests, and one whole way of an alarm. */
function findNodeParts() {
  return ['22', '24']
    .map((version) => ({ version, node: path.join(root, '.tools', `node-${version}`, 'node') }))
    .filter(({ node }) => existsSync(node))
    .map(({ version, node }) => ({
      title: `unit tests and the demo, Node ${version}`,
      files: [
        ...builtTests('unit', 'contract'),
        ...builtTests('integration').filter((file) => nameOf(file) === 'demo'),
      ],
      timeoutMs: 120_000,
      node,
    }));
}

function findParts() {
  const unit = { title: 'unit tests', files: builtTests('unit'), timeoutMs: 20_000 };
  if (options.unit) return [unit];
  if (options.ansible !== undefined) return findAnsibleParts().sort((one, other) => rankOf(one) - rankOf(other));
  const others = [
    ...builtTests('install').map((file) => ({
      title: `installation: ${nameOf(file)}`,
      files: [file],
      timeoutMs: 120_000,
    })),
    { title: 'the page in a browser', files: builtTests('browser'), timeoutMs: 180_000 },
    { title: 'contracts, the lab', files: builtTests('contract', 'lab'), timeoutMs: 20_000 },
    ...findNodeParts(),
    ...findAnsibleParts(),
  ].filter(({ files }) => files.length > 0);
  return [unit, ...others.sort((one, other) => rankOf(one) - rankOf(other))];
}

if (options.ansible !== undefined && !['system', 'latest'].includes(options.ansible)) {
  console.error(`--ansible: expected system or latest, got "${options.ansible}"`);
  process.exit(2);
}
const results = await runAll(findParts());
const sum = (key) => results.reduce((total, counts) => total + counts[key], 0);
const [passed, failed, pending] = [sum('passed'), sum('failed'), sum('pending')];
if (passed + failed === 0) console.log('no test ran');
const slowest = results.toSorted((one, other) => other.seconds - one.seconds).slice(0, 20);
console.log(
  `\nthe longest parts:\n${slowest.map(({ seconds, title }) => `${String(seconds).padStart(6)} s  ${title}`).join('\n')}\n`,
);
for (const { title, failures } of results) {
  for (const failure of failures) console.log(`FAILED in ${title}: ${failure}`);
}
console.log(`\n${passed} passed, ${failed} failed${pending > 0 ? `, ${pending} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 || stopped ? 1 : 0;
