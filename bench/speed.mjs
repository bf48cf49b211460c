// How long one alarm takes, each measured out of the blue: no connection is open, no rule is there yet.
//
//   node bench/speed.mjs [--rounds N]      5 rounds by default
//
// Targets: `firebreak block` at most 1.15 times a bare ansible-playbook that does the same, and 0.7 times with a warm
// runner; called by the SIEM over SSH, at most 0.4 and 0.25 times the two scripts and the playbook of bench/article,
// which prove nothing.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openStage } from '../build/test/lab/demo-stage.js';
import { findWarmRunner } from '../build/test/lab/processes.js';
import { callArticle, installArticle } from './article/caller.mjs';
import { closeConnections, time } from './programs.mjs';
import { interleave, printCircumstances, printRatio, printTable, readProcessorTime, startCounter } from './measure.mjs';

const root = path.resolve(import.meta.dirname, '..');
const destination = '192.168.1.10';
const names = {
  ours: 'firebreak block, cold',
  warm: 'firebreak block, warm',
  bare: 'ansible-playbook playbooks/apply.yml',
  oursBySsh: 'sshpass, ssh, firebreak block, cold',
  warmBySsh: 'sshpass, ssh, firebreak block, warm',
  article: 'sshpass, ssh, ping, playbook of the article',
};

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds: expected a number from 1, got "${options.rounds}"`);
  process.exit(2);
}

let sources = 0;
const nextSource = () => `203.0.${113 + Math.floor(sources / 250)}.${1 + (sources++ % 250)}`;

/** Fails unless pf blocks the source, so that nothing is measured that did not happen. */
async function expectBlocked({ firewall }, source) {
  const rules = await firewall.loadedRules();
  if (!rules.some((rule) => rule.startsWith('block') && rule.includes(` from ${source} to ${destination}`))) {
    throw new Error(`pf does not block ${source}`);
  }
}

/** Their children are reaped by the time that a contender ends. */
const findMeasured = (stage) => [
  process.pid,
  ...stage.servers,
  ...['state', 'direct'].flatMap((name) => findWarmRunner(path.join(stage.folder, 'ansible', name))),
];

const homeOf = (stage) => path.join(stage.folder, 'ansible');
const environmentOf = (stage) => ({
  PATH: `${process.env.PATH}:${path.join(root, '.tools/ansible-latest/bin')}`,
  HOME: homeOf(stage),
});

function makeContenders(stage, counter) {
  const home = homeOf(stage);
  const env = environmentOf(stage);
  const contend = (name, carry) => ({
    name,
    run: async () => {
      stage.setWarm(name === names.warm || name === names.warmBySsh);
      const source = nextSource();
      const before = readProcessorTime(findMeasured(stage));
      const counted = await counter.read();
      const seconds = await carry(source);
      const processor = readProcessorTime(findMeasured(stage)) - before;
      const instructions = counted === undefined ? undefined : (await counter.read()) - counted;
      await expectBlocked(stage, source);
      return { seconds, processor, instructions };
    },
  });
  return [
    contend(names.ours, (source) => block(env, home, source)),
    contend(names.warm, (source) => block(env, home, source)),
    contend(names.bare, (source) => runBare(home, env, source)),
    contend(names.oursBySsh, (source) => fire(stage, source)),
    contend(names.warmBySsh, (source) => fire(stage, source)),
    contend(names.article, (source) => callArticle(stage, source, destination)),
  ];
}

/** With a state folder of its own: the stage's sshd sees other mounts, so a runner serves its callers or these. */
function block(env, home, source) {
  const config = path.join(home, 'direct.yml');
  const text = readFileSync(path.join(home, 'firebreak.yml'), 'utf8');
  writeFileSync(config, text.replace(/^(state_dir: .*)\/state$/m, '$1/direct'), { mode: 0o600 });
  const args = ['dist/cli.js', 'block', source, destination, '22', 'wan', 'block', 'inet', 'bench'];
  return time(process.execPath, args, { cwd: root, env: { ...env, FIREBREAK_CONFIG: config } });
}

async function fire(stage, source) {
  const { code, ms, stderr } = await stage.fire({ source, destination, port: 22 });
  if (code !== 0) throw new Error(`firebreak over SSH ended with ${code}: ${stderr}`);
  return ms / 1000;
}

/** Has runs start the warm runners, and waits until they are there. */
async function warmUp(stage) {
  stage.setWarm(true);
  const home = homeOf(stage);
  await fire(stage, nextSource());
  await block(environmentOf(stage), home, nextSource());
  const isThere = (name) => existsSync(path.join(home, name, 'warm/socket'));
  for (let tries = 0; !isThere('state') || !isThere('direct'); tries += 1) {
    if (tries === 600) throw new Error('the warm runner did not start');
    await sleep(100);
  }
}

/** ansible-playbook with the inventory, variables and settings of the launcher's own last run. */
async function runBare(home, env, source) {
  const runs = path.join(home, 'state/runs');
  const last = path.join(runs, readdirSync(runs).sort().at(-1));
  const work = path.join(home, 'bare');
  const batch = JSON.parse(readFileSync(path.join(last, 'extra-vars.yml'), 'utf8'));
  const [flow] = batch.firebreak_present;
  flow.source = { __ansible_unsafe: source };
  delete flow.tracker; // the playbook computes it, as the launcher did
  const variables = path.join(home, 'bare.yml');
  writeFileSync(variables, JSON.stringify(batch));
  const seconds = await time(
    'ansible-playbook',
    ['--inventory', path.join(last, 'inventory.yml'), '--extra-vars', `@${variables}`, 'playbooks/apply.yml'],
    {
      cwd: root,
      env: {
        ...env,
        LC_ALL: 'C.UTF-8',
        ANSIBLE_CONFIG: path.join(root, 'playbooks/ansible.cfg'),
        ANSIBLE_HOME: work,
        ANSIBLE_LOCAL_TEMP: path.join(work, 'tmp'),
        ANSIBLE_SSH_CONTROL_PATH_DIR: path.join(home, 'cp'),
      },
    },
  );
  await closeConnections(path.join(home, 'cp'));
  return seconds;
}

async function main() {
  let stage;
  let counter;
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    void stage?.close();
  };
  // Ctrl-C comes twice: from the terminal, and from run.mjs.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  try {
    stage = await openStage();
    if (isStopped) return 130;
    installArticle(stage);
    counter = await startCounter([process.pid, ...stage.servers]); // before the warm runner, which is then counted too
    await warmUp(stage);
    console.log(`One alarm, from the call to its end; medians of ${rounds} rounds, taken in turn.\n`);
    const figures = await interleave(makeContenders(stage, counter), rounds, {
      onRound: (round, all) => process.stderr.isTTY && process.stderr.write(`\rround ${round} of ${all} `),
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    printTable(figures);
    const of = (name) => figures.get(name);
    console.log('');
    printRatio('firebreak block, cold / bare ansible-playbook', of(names.ours), of(names.bare), 1.15);
    printRatio('firebreak block, warm / bare ansible-playbook', of(names.warm), of(names.bare), 0.7);
    printRatio('the whole way from the SIEM: cold / the article', of(names.oursBySsh), of(names.article), 0.4);
    printRatio('the whole way from the SIEM: warm / the article', of(names.warmBySsh), of(names.article), 0.25);
    printCircumstances();
    return 0;
  } catch (error) {
    if (isStopped) return 130; // the stage was pulled away under a round
    throw error;
  } finally {
    await counter?.stop();
    await stage?.close();
  }
}

process.exitCode = await main();
