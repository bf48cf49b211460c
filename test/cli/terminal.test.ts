import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, program, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';

const words = ['203.0.113.7', '192.168.1.10', '22'];
const hasScript = ((): boolean => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
})();

describe('on a terminal', function () {
  this.timeout(180_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  /** Calls it with a pseudo-terminal for all its streams; `seen` grows. */
  function onTerminal(args: readonly string[], { columns = 80, ...env }: Record<string, string | number> = {}) {
    const quoted = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
    const file = path.join(launcher.folder, 'call.sh');
    writeFileSync(file, `stty cols ${columns} rows 24\nexec ${quoted}\n`);
    const child = spawn('script', ['--quiet', '--return', '--command', `sh ${file}`, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: launcher.folder,
      env: {
        ...{ PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '', HOME: launcher.home },
        ...{ FIREBREAK_CONFIG: launcher.configFile, TERM: 'xterm', TZ: 'Asia/Kolkata', ...env },
      },
    });
    const said = { text: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.text += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { said, ended };
  }

  async function show(args: readonly string[], env: Record<string, string | number> = {}): Promise<string> {
    const { said, ended } = onTerminal(args, env);
    await ended;
    return said.text.replaceAll('\r\n', '\n');
  }

  it('a run shows its current task, firewall and time, and clears the line at the end', async function () {
    if (!hasScript) this.skip();
    const release = await edge.holdLock();
    const { said, ended } = onTerminal(['block', ...words]);
    try {
      await waitUntil('the task', () => /edge: Insert the missing rules, .* \([1-9]\d* s\)/.test(said.text));
    } finally {
      await release();
    }
    expect(await ended).to.equal(0);
    // eslint-disable-next-line no-control-regex -- it clears the line
    const [, last = ''] = /\r\u001b\[K([^\r]*\r?\n?)$/.exec(said.text) ?? [];
    expect(last).to.match(/^edge: blocked 203\.0\.113\.7 -> 192\.168\.1\.10 tcp\/22 on wan/);
  });

  for (const [command, first] of [
    ['reconcile', /^edge: /],
    ['doctor', /^\S*this host/],
  ] as const) {
    it(`${command} shows its progress as well, and clears it before the answer`, async function () {
      if (!hasScript) this.skip();
      const text = await show([command]);
      const drawn = text.split('\r\u001b[K');
      const shown = drawn.filter((line) => / \(\d+ s\)$/.test(line));
      expect(shown.some((line) => line.startsWith('edge: '))).to.equal(true);
      if (command === 'doctor') expect(shown[0]).to.match(/^this host: checks programs and files /);
      expect(drawn.at(-1))
        .to.match(first)
        .and.not.match(/ \(\d+ s\)$/m);
    });
  }

  it('a call that waits for another process says so', async function () {
    if (!hasScript) this.skip();
    const release = await edge.holdLock();
    const first = launcher.start(['block', '203.0.113.8', '192.168.1.10', '22']);
    const before = launcher.runs().length;
    await waitUntil('the first run', () => launcher.runs().length > before);
    const { said, ended } = onTerminal(['block', '203.0.113.9', '192.168.1.10', '22']);
    try {
      await waitUntil('the wait', () => /edge: waiting for another process \(\d+ s\)/.test(said.text));
    } finally {
      await release();
    }
    expect((await first.ended).exit).to.equal(0);
    expect(await ended).to.equal(0);
  });

  it('shows no progress if stderr is not a terminal, or a dumb one', async function () {
    const { exit, stderr } = await launcher.firebreak(['block', '203.0.113.10', '192.168.1.10', '22']);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    if (!hasScript) this.skip();
    const text = await show(['block', '203.0.113.11', '192.168.1.10', '22'], { TERM: 'dumb' });
    expect(text).to.match(/^edge: blocked [^\n]*\n$/);
  });

  it('tables fit the width, and 80 columns in a pipe', async function () {
    if (!hasScript) this.skip();
    const long = ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:7', '2001:db8:1111:2222:3333:4444:5555:10', '443'];
    expect((await launcher.json(['block', ...long])).exit).to.equal(0);
    const widest = (text: string): number =>
      Math.max(
        ...stripVTControlCharacters(text)
          .split('\n')
          .map(({ length }) => length),
      );
    for (const command of ['list', 'audit']) {
      for (const columns of [70, 160]) {
        const text = await show([command], { columns });
        expect(widest(text), `${command} in ${columns}`).to.be.within(columns === 70 ? 50 : 71, columns);
      }
      expect(widest((await launcher.firebreak([command])).stdout), `${command} in a pipe`).to.be.at.most(80);
    }
  });

  it('times are local with their zone, and UTC in JSON', async function () {
    if (!hasScript) this.skip();
    const { answer } = await launcher.json(['block', ...words]);
    const [{ id, created_at, expires_at } = { id: '', created_at: '', expires_at: '' }] = answer.blocks;
    expect([created_at, expires_at].every((time) => time?.endsWith('Z'))).to.equal(true);
    for (const args of [['show', id], ['audit']]) {
      const text = await show(args, { columns: 200 });
      expect(text)
        .to.match(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0530/)
        .and.not.match(/\d\dT\d\d:/);
    }
    const env = { TZ: 'Asia/Kolkata' };
    for (const args of [
      ['show', id, '--json'],
      ['audit', '--json'],
    ]) {
      const { stdout } = await launcher.firebreak(args, { env });
      expect(stdout)
        .to.match(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/)
        .and.not.include('+0530');
    }
  });

  it('colours are shown unless NO_COLOR is set, and in a pipe with FORCE_COLOR', async function () {
    if (!hasScript) this.skip();
    // eslint-disable-next-line no-control-regex -- the test searches for them
    const colour = /\u001b\[\d+m/;
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), port: 9 } } }); // nothing listens there
    try {
      expect(await show(['doctor'])).to.match(colour);
      expect(await show(['doctor'], { NO_COLOR: '1' })).to.not.match(colour);
      expect((await launcher.firebreak(['doctor'])).stdout).to.not.match(colour);
      expect((await launcher.firebreak(['doctor'], { env: { FORCE_COLOR: '1' } })).stdout).to.match(colour);
    } finally {
      launcher.configure({ firewalls: { edge: settingsOf(edge) } });
    }
  });
});
