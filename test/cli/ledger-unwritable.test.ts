import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, program, settingsOf, waitUntil, type AnswerBlock, type Launcher } from '../lab/launcher.js';
import { canMount } from '../lab/namespace.js';

const alarm = (port: number | string, ...more: string[]): string[] => [
  'block',
  '203.0.113.7',
  '192.168.1.10',
  String(port),
  ...more,
];
const unlimited = { policy: { limits: { per_minute: 100_000 } } };

describe('the ledger that cannot be written, through the built program,', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, unlimited);
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  const loadedPorts = async (): Promise<string[]> =>
    (await edge.loadedRules()).flatMap(
      (rule) => / from 203\.0\.113\.7 to 192\.168\.1\.10 port = (\S+)/.exec(rule)?.[1] ?? [],
    );

  const rulesInFile = (): number => edge.readConfig().split('<address>203.0.113.7</address>').length - 1;

  async function listed(...args: string[]): Promise<readonly AnswerBlock[]> {
    const { stdout } = await launcher.firebreak(['list', ...args, '--json']);
    return (JSON.parse(stdout) as { blocks: AnswerBlock[] }).blocks; // list --json
  }

  const states = async (...args: string[]): Promise<string[]> => (await listed(...args)).map(({ state }) => state);

  const isQuiet = (): boolean => !launcher.runs().some((run) => existsSync(path.join(run, 'tmp'))); // a run under way has a temporary folder

  it('says so with exit 2, and the block is tried all the same', async () => {
    const file = path.join(launcher.folder, 'a-file');
    writeFileSync(file, '');
    launcher.configure({ state_dir: path.join(file, 'state') });
    const { exit, stdout, stderr } = await launcher.firebreak(alarm(22));
    expect(exit).to.equal(2);
    expect(stderr).to.match(/NOT recorded: .*the ledger cannot be written/);
    expect(stdout).to.include('in force');
    expect(await loadedPorts()).to.deep.equal(['ssh']);
  });

  it('because the disk is full, says so too', async function () {
    if (!canMount()) this.skip();
    const script =
      'mkdir -p "$1" && mount -t tmpfs -o size=16k,mode=700 full "$1" && { cat /dev/zero >"$1/filler" 2>/dev/null; shift; exec "$@"; }';
    const child = spawn(
      'unshare',
      [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        script,
        'sh',
        launcher.stateDir,
        process.execPath,
        program,
        ...alarm(22),
      ],
      {
        env: { ...process.env, FIREBREAK_CONFIG: launcher.configFile, HOME: launcher.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [exit] = (await once(child, 'close')) as [number];
    expect(exit).to.equal(2);
    expect(stderr).to.match(/NOT recorded: .*no space left on the disk/);
    expect(await loadedPorts()).to.deep.equal(['ssh']);
  });

  const damage = (): void => {
    for (const end of ['-wal', '-shm']) rmSync(path.join(launcher.stateDir, `ledger.db${end}`), { force: true });
    writeFileSync(path.join(launcher.stateDir, 'ledger.db'), 'x'.repeat(8192));
  };

  it('holds to the whole policy, and keeps the request until it can be kept', async () => {
    expect((await launcher.firebreak(alarm(22))).exit).to.equal(0); // the firewall has told its own addresses by now
    damage();
    const own = await launcher.firebreak(['block', '192.168.20.1', '192.168.1.10', '22']);
    expect(own.exit).to.equal(2);
    expect(own.stdout).to.match(/NOT blocked 192\.168\.20\.1 .*an address that firewall edge has/);
    const { exit, stdout, stderr } = await launcher.firebreak(alarm(443));
    expect(exit).to.equal(2);
    expect(stderr)
      .to.match(/NOT recorded: .*damaged/)
      .and.match(/the alarm is spooled/);
    expect(stdout).to.include('in force');
    rmSync(path.join(launcher.stateDir, 'ledger.db'));
    const drained = await Promise.all([0, 1, 2].map(() => launcher.firebreak(['drain'])));
    expect(drained.map(({ exit }) => exit)).to.deep.equal([0, 0, 0]);
    expect(drained.map(({ stderr }) => stderr).join('')).to.match(/is now recorded[^]*is now recorded/);
    const kept = await listed();
    expect(kept.map(({ port, state }) => `${port} ${state}`)).to.deep.equal(['443 active']);
    expect(kept[0]?.expires_at).to.be.a('string');
  });

  it('starts no run while all is frozen', async () => {
    await launcher.firebreak(['freeze', 'maintenance']);
    damage();
    const before = edge.readConfig();
    const { stdout } = await launcher.firebreak(alarm(22));
    expect(stdout).to.match(/NOT blocked .*not tried: all changes have been frozen since .*maintenance/);
    expect(edge.readConfig()).to.equal(before);
  });

  it('tries no more alarms in a minute than policy.limits allow, and holds the others once it is back', async () => {
    launcher.configure({ policy: { limits: { per_minute: 1 } } });
    await launcher.firebreak(['list']);
    damage();
    expect((await launcher.firebreak(alarm(22))).stdout).to.include('in force');
    expect((await launcher.firebreak(alarm(443))).stdout).to.match(/NOT blocked .*not tried: more than 1 alarms/);
    expect(await loadedPorts()).to.deep.equal(['ssh']);
    rmSync(path.join(launcher.stateDir, 'ledger.db'));
    await launcher.firebreak(['drain']);
    expect(await states()).to.deep.equal(['active', 'held']);
  });

  it('has one call at a time apply its block, and every request spooled', async () => {
    await launcher.firebreak(['list']);
    damage();
    edge.setFaults({ reloadStall: 5 });
    const first = launcher.start(alarm(22));
    await waitUntil('the first run reached the firewall', () => edge.readConfig().includes('203.0.113.7'));
    const { stdout, stderr } = await launcher.firebreak(alarm(443));
    expect(stdout).to.match(/NOT blocked .*not tried: another call is applying a block without the ledger/);
    expect(stderr).to.include('the alarm is spooled');
    expect((await first.ended).stdout).to.include('in force');
    edge.clearFaults();
    rmSync(path.join(launcher.stateDir, 'ledger.db'));
    await launcher.firebreak(['drain']);
    expect(await states()).to.deep.equal(['active', 'active']);
  });

  it('while it is busy, many callers start no run of their own', async () => {
    await launcher.firebreak(['list']);
    const many = process.env['FIREBREAK_LONG'] === '1' ? 200 : 12;
    const other = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
    other.exec('BEGIN IMMEDIATE');
    const calls = Array.from({ length: many }, (_, at) => launcher.firebreak(alarm(7001 + at, '--no-wait')));
    await sleep(3000); // some wait by now; whether all do makes no difference
    expect(rulesInFile()).to.equal(0);
    other.exec('ROLLBACK');
    other.close();
    const ended = await Promise.all(calls);
    expect(ended.filter(({ exit, stderr }) => exit !== 0 || stderr.includes('NOT recorded'))).to.deep.equal([]);
    await waitUntil('all in force', async () => (await states()).every((state) => state === 'active'));
    expect(rulesInFile()).to.equal(many);
    await waitUntil('every run ended', isQuiet);
  });

  it('because others write to it, keeps nothing and starts no run: exit 75, come again', async () => {
    await launcher.firebreak(['list']);
    launcher.configure({ dispatch: { patience: '1s' } });
    const other = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
    other.exec('BEGIN IMMEDIATE');
    const before = edge.readConfig();
    const { exit, answer } = await launcher.jsonError(alarm(22));
    other.exec('ROLLBACK');
    other.close();
    expect({ exit, code: answer.error.code }).to.deep.equal({ exit: 75, code: 'ledger_busy' });
    expect(edge.readConfig()).to.equal(before);
    expect(existsSync(path.join(launcher.stateDir, 'spool'))).to.equal(false);
    expect((await launcher.firebreak(alarm(22))).exit).to.equal(0);
  });

  it('because it is damaged, is left as it is', async () => {
    await launcher.firebreak(alarm(22));
    const file = path.join(launcher.stateDir, 'ledger.db');
    writeFileSync(file, 'x'.repeat(8192));
    const { exit, answer } = await launcher.jsonError(['list']);
    expect(exit).to.equal(2);
    expect(answer.error.code).to.equal('ledger_corrupt');
    expect(readFileSync(file, 'utf8')).to.equal('x'.repeat(8192));
  });
});
