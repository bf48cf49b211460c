import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { ulid } from 'ulid';
import type { Flow } from '#firebreak/core/flow.js';
import type { BlockResult } from '#firebreak/core/lifecycle.js';
import { outcomeKinds } from '#firebreak/core/outcome.js';
import { openLedger } from '#firebreak/ledger/index.js';
import { makeLauncher, waitUntil, type Launcher } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';

const flow = (port: string): Flow => ({
  type: 'block',
  interface: 'wan',
  ipprotocol: 'inet',
  protocol: 'tcp',
  source: '203.0.113.7',
  destination: '192.168.1.10',
  port,
});

/** Applies the plugin's regular expressions as OSSIM does, and returns the fields of the events. */
function readByPlugin(lines: readonly string[]): Record<string, string>[] {
  const code = `
import configparser, json, re, sys
plugin = configparser.RawConfigParser()
plugin.read(sys.argv[1])
found = []
for line in sys.stdin.read().splitlines():
    for section in plugin.sections():
        if not plugin.has_option(section, 'regexp'): continue
        match = re.compile(plugin.get(section, 'regexp').strip('"')).search(line)
        if match is None: continue
        fill = lambda text: re.sub(r'\\{(?:\\w+\\()?\\$(\\w+)\\)?\\}', lambda name: match.group(name.group(1)), text)
        found.append({key: fill(plugin.get(section, key)) for key in plugin.options(section) if key != 'regexp'})
print(json.dumps(found))`;
  const file = path.join(packageRoot, 'integrations/ossim/firebreak.cfg');
  const said = execFileSync('python3', ['-c', code, file], { input: lines.join('\n'), encoding: 'utf8' });
  return JSON.parse(said) as Record<string, string>[];
}

/** A TCP or unix server that returns the lines it received, by the length before each line. */
async function listen(
  where: number | string,
): Promise<{ port: number; lines: () => string[]; stop: () => Promise<void> }> {
  let text = '';
  const server = createServer((socket) => {
    socket.setEncoding('utf8').on('error', () => undefined);
    socket.on('data', (part: string) => (text += part)).on('end', () => socket.end());
  });
  const at = typeof where === 'number' ? { port: where, host: '127.0.0.1' } : { path: where };
  await new Promise<void>((resolve) => server.listen(at, resolve));
  const lines = (): string[] => {
    const found: string[] = [];
    for (let rest = text; rest !== '';) {
      const [head = '', length = '0'] = /^(\d+) /.exec(rest) ?? [];
      found.push(rest.slice(head.length, head.length + Number(length)));
      rest = rest.slice(head.length + Number(length));
    }
    return found;
  };
  const address = server.address();
  return {
    port: typeof address === 'string' ? 0 : (address as AddressInfo).port,
    lines,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe('syslog', function () {
  this.timeout(60_000);
  let launcher: Launcher;

  // No run is started.
  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
  });

  afterEach(() => launcher.remove());

  const file = (): string => path.join(launcher.stateDir, 'ledger.db');

  /** One of each outcome. */
  async function makeOutcomes(): Promise<void> {
    const ledger = await openLedger({ file: file() });
    const record = (port: string, more: object = {}, options: object = {}) => {
      const blocks = [{ firewall: 'edge', flow: flow(port), description: 'a test', durationMs: null, ...more }];
      const context = { 'event-id': `0d4c11e6-${port}` };
      return ledger.recordAlarms([{ id: `A${port}`, origin: 'a test', context, blocks }], { recheckMs: 0, ...options });
    };
    const settle = async (result: BlockResult): Promise<void> => {
      const lease = (await ledger.acquireLease('edge', 'a test'))!;
      const id = ulid();
      const claimed = await ledger.claimBatch(lease, id, 10);
      await ledger.settleBatch(lease, { id, ms: 1, claimed, resultOf: () => result, giveUpMs: 0 });
      await ledger.releaseLease(lease, true);
    };
    await record('1');
    await settle({ kind: 'settled', changed: true });
    await ledger.release({}, 'released by an operator');
    await settle({ kind: 'settled', changed: true });
    await record('2');
    await settle({ kind: 'failed', failure: 'failed', code: 'load_refused', reason: 'pf said "no"]\n<0>1 forged' });
    await record('5');
    const proof = { level: 'shadowed', message: 'floating rule \'Allow "all"]\' passes it first' } as const;
    await settle({ kind: 'settled', changed: true, proof });
    await record('3', { refusal: 'refused: it is the gateway' });
    await record('6', { isObserved: true });
    await settle({ kind: 'observed' });
    await record('4', {}, { limits: { perMinute: 1, active: 1 } });
    await ledger.close();
  }

  const outcomes = ['PROVEN', 'RELEASED', 'FAILED', 'BYPASSED', 'REFUSED', 'OBSERVED', 'HELD'];
  const outcomesOf = (lines: readonly string[]): string[] => lines.map((line) => line.split(' ')[5] ?? '');

  async function drain(): Promise<string> {
    const { exit, stderr } = await launcher.firebreak(['drain']);
    expect(exit).to.equal(0);
    return stderr;
  }

  it('receives each outcome once over TCP, in lines that the OSSIM plugin parses', async () => {
    const server = await listen(0);
    try {
      launcher.configure({ syslog: { to: `tcp://127.0.0.1:${server.port}`, facility: 'local3' } });
      await makeOutcomes();
      expect(await drain()).to.equal('');
      expect(await drain()).to.equal('');
      await waitUntil('all lines', () => server.lines().length >= outcomes.length);
      const lines = server.lines();
      expect(outcomesOf(lines)).to.deep.equal(outcomes);
      expect(outcomes.map((name) => name.toLowerCase())).to.have.members(outcomeKinds); // the plugin knows every kind
      for (const line of lines) expect(line).to.match(/^<1[5-9]\d>1 [\x20-\x7e]+$/);
      const events = readByPlugin(lines);
      expect(events.map((event) => event['plugin_sid'])).to.deep.equal(['1', '5', '2', '6', '4', '7', '3']);
      expect(events[2]).to.include({
        plugin_id: '9532',
        src_ip: '203.0.113.7',
        dst_ip: '192.168.1.10',
        dst_port: '2',
        protocol: 'tcp',
        interface: 'wan',
        userdata1: 'edge',
        userdata3: '0d4c11e6-2',
        userdata4: 'load_refused',
      });
      expect(events[2]!['date']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    } finally {
      await server.stop();
    }
  });

  it('receives outcomes over a unix socket', async () => {
    const socket = path.join(launcher.folder, 's');
    const server = await listen(socket);
    try {
      launcher.configure({ syslog: { to: `unix:${socket}` } });
      await makeOutcomes();
      expect(await drain()).to.equal('');
      await waitUntil('all lines', () => server.lines().length >= outcomes.length);
      expect(outcomesOf(server.lines())).to.deep.equal(outcomes);
    } finally {
      await server.stop();
    }
  });

  it('receives outcomes over UDP from the launcher of an alarm, which does not wait for it', async () => {
    const lines: string[] = [];
    const socket = createSocket('udp4').on('message', (line) => lines.push(line.toString()));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    try {
      launcher.configure({ syslog: { to: `udp://127.0.0.1:${socket.address().port}` } });
      expect((await launcher.firebreak(['block', '203.0.113.7', '127.0.0.1', '22', '--risk=3'])).exit).to.equal(3);
      await waitUntil('the line', () => lines.length > 0);
      expect(outcomesOf(lines)).to.deep.equal(['REFUSED']);
      expect(readByPlugin(lines)[0]).to.include({ plugin_sid: '4', dst_ip: '127.0.0.1', dst_port: '22' });
    } finally {
      socket.close();
    }
  });

  it('receives all outcomes later if the server was unreachable', async () => {
    const server = await listen(0);
    await server.stop();
    launcher.configure({ syslog: { to: `tcp://127.0.0.1:${server.port}` } });
    await makeOutcomes();
    expect(await drain()).to.match(
      /^firebreak: could not send to syslog tcp:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*; will retry/,
    );
    expect(await drain()).to.equal(''); // the retry is not due yet
    const database = new DatabaseSync(file());
    database.exec('UPDATE feed SET held_until = 0'); // ends the delay
    database.close();
    const again = await listen(server.port);
    try {
      expect(await drain()).to.equal('');
      await waitUntil('all lines', () => again.lines().length >= outcomes.length);
      expect(outcomesOf(again.lines())).to.deep.equal(outcomes);
    } finally {
      await again.stop();
    }
  });

  it('refuses an invalid target', async () => {
    launcher.configure({ syslog: { to: 'siem.example.org:514' } });
    const { exit, stderr } = await launcher.firebreak(['drain']);
    expect(exit).to.equal(2);
    expect(stderr).to.match(/syslog\.to: expected udp:\/\/HOST:PORT, tcp:\/\/HOST:PORT or unix:\/PATH, got "siem/);
  });
});
