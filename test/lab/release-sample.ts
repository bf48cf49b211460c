/**
 * Makes what test/samples/release-* keep: a ledger with its audit log, as this version of the program writes them, and
 * what it says of them. Once for each release, before it: node build/test/lab/release-sample.js test/samples/release-X.Y
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { startFirewall, type Firewall } from './firewall.js';
import { makeLauncher, settingsOf, type Launcher } from './launcher.js';

const target = '192.168.1.10';
const facts = [
  '--event-id=0d4c11e6-9a3b-0800-27d5-0a0027000001',
  '--risk=3',
  '--plugin-id=4003',
  '--sensor=192.0.2.30',
];

/** One block in each state that an operator may have standing when he upgrades. */
async function fill(launcher: Launcher, edge: Firewall): Promise<void> {
  const call = async (exit: number, ...words: string[]): Promise<void> => {
    const ended = await launcher.firebreak(words);
    if (ended.exit !== exit) throw new Error(`${words.join(' ')}: ${ended.exit}\n${ended.stdout}${ended.stderr}`);
  };
  await call(0, 'block', '203.0.113.7', target, '22', 'wan', 'block', 'inet', 'blocked for ssh anomaly', ...facts);
  await call(0, 'block', '203.0.113.7', target, '22');
  await call(0, 'block', '203.0.113.8', target, '443', '--for', 'forever');
  await call(0, 'block', '2001:db8::7', '2001:db8:1::10', '25', '--for', '7d', '--type', 'reject');
  await call(0, 'block', '203.0.113.9', target, '22');
  await call(0, 'unblock', '203.0.113.9');
  await call(0, 'block', '203.0.113.10', target, '22');
  await call(3, 'block', '127.0.0.9', target, '22');
  await edge.goAway();
  await call(4, 'unblock', '203.0.113.10');
  await call(4, 'block', '203.0.113.11', target, '53', '--protocol', 'udp');
  launcher.configure({ policy: { limits: { active: 1 } } });
  await call(7, 'block', '203.0.113.12', target, '22');
}

async function describe(launcher: Launcher): Promise<object> {
  const ask = async (...words: string[]): Promise<unknown> =>
    JSON.parse((await launcher.firebreak([...words, '--json'])).stdout) as unknown;
  const list = (await ask('list', '--state', 'all')) as { blocks: { id: string }[] };
  const shown = [];
  for (const { id } of list.blocks) shown.push(await ask('show', id));
  return { list, shown };
}

async function makeSample(folder: string): Promise<void> {
  const edge = await startFirewall();
  const mail = { host: '127.0.0.1', port: 9, from: 'firebreak@example.org', to: ['soc@example.org'] };
  const launcher = makeLauncher({ edge: settingsOf(edge) }, { mail });
  try {
    await fill(launcher, edge);
    const described = await describe(launcher);
    mkdirSync(folder, { recursive: true });
    const put = (name: string, content: string | Buffer) => writeFileSync(path.join(folder, name), content);
    put('ledger.db.gz', gzipSync(readFileSync(path.join(launcher.stateDir, 'ledger.db')), { level: 9 }));
    put('audit.jsonl', readFileSync(path.join(launcher.stateDir, 'audit.jsonl')));
    const said = JSON.stringify(described, undefined, 2).replaceAll(launcher.stateDir, '/var/lib/firebreak');
    put('said.json', `${said}\n`);
  } finally {
    launcher.remove();
    await edge.stop();
  }
}

await makeSample(path.resolve(process.argv[2] ?? ''));
