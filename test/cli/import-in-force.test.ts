import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type AnswerBlock, type Launcher } from '../lab/launcher.js';
import { readMessages } from '../lab/messages.js';

const firstLine = (text: string): string => text.split('\n')[0] ?? '';
const unlimited = { policy: { limits: { per_minute: 100_000 } } };

describe('import, with a firewall,', function () {
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

  async function listed(...args: string[]): Promise<readonly AnswerBlock[]> {
    const { stdout } = await launcher.firebreak(['list', ...args, '--json']);
    return (JSON.parse(stdout) as { blocks: AnswerBlock[] }).blocks; // list --json
  }

  it('blocks a list of addresses in one run', async () => {
    const file = path.join(launcher.folder, 'banned.txt');
    writeFileSync(file, ['# banned', '203.0.113.7', '203.0.113.8   2026-11-24 + 600 =', ''].join('\n'));
    const { exit, stdout } = await launcher.firebreak(['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22']);
    expect({ exit, said: firstLine(stdout) }).to.deep.equal({ exit: 0, said: '2 entries: 2 active' });
    expect(launcher.runs()).to.have.length(1);
  });

  it('carries ten thousand with less than 200 MB of memory', async function () {
    this.timeout(300_000); // Ten runs of a thousand each, on whatever machine this is.
    launcher.configure({ policy: { limits: { per_minute: 100_000, active: 100_000 } } });
    const file = path.join(launcher.folder, 'banned.txt');
    const sources = Array.from({ length: 10_000 }, (_, at) => `203.0.${Math.floor(at / 250)}.${1 + (at % 250)}`);
    writeFileSync(file, sources.join('\n'));
    const probe = path.join(launcher.folder, 'probe.cjs');
    const peak = path.join(launcher.folder, 'peak');
    writeFileSync(
      probe,
      `process.on('exit', () => require('fs').appendFileSync('${peak}', process.resourceUsage().maxRSS + '\\n'))`,
    );
    const { exit, stdout } = await launcher.firebreak(
      ['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22'],
      { env: { NODE_OPTIONS: `--require ${probe}` } },
    );
    expect({ exit, said: firstLine(stdout) }).to.deep.equal({ exit: 0, said: '10000 entries: 10000 active' });
    const kilobytes = readFileSync(peak, 'utf8').trimEnd().split('\n').map(Number);
    expect(Math.max(...kilobytes)).to.be.within(1, 200 * 1024);
  });

  it('takes what CrowdSec and fail2ban export', async () => {
    const crowdsec = [
      {
        id: 1,
        source: { ip: '203.0.113.7' },
        decisions: [{ value: '203.0.113.7', duration: '3h59m', scenario: 'ssh-bf' }],
      },
    ];
    const fail2ban = "[{'sshd': ['203.0.113.8', '203.0.113.9']}]";
    for (const text of [JSON.stringify(crowdsec), fail2ban]) {
      const file = path.join(launcher.folder, 'list.json');
      writeFileSync(file, text);
      const { exit } = await launcher.firebreak(['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22']);
      expect(exit).to.equal(0);
    }
    expect((await listed()).map(({ source }) => source)).to.deep.equal(['203.0.113.7', '203.0.113.8', '203.0.113.9']);
  });

  it('holds what is beyond policy.limits.active, and nothing for coming fast, and asks by mail', async () => {
    const mail = { host: '127.0.0.1', port: 9, from: 'firebreak@example.org', to: ['soc@example.org'] };
    launcher.configure({ policy: { limits: { per_minute: 1, active: 2 } }, mail });
    const file = path.join(launcher.folder, 'banned.txt');
    writeFileSync(file, ['203.0.113.7', '203.0.113.8', '203.0.113.9', '203.0.113.10'].join('\n'));
    const { exit, stdout } = await launcher.firebreak([
      ...['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22'],
    ]);
    expect({ exit, said: firstLine(stdout) }).to.deep.equal({ exit: 7, said: '4 entries: 2 active, 2 held' });
    const messages = readMessages(path.join(launcher.stateDir, 'ledger.db'));
    expect(messages.map(({ kind }) => kind)).to.deep.equal(['mail']);
    expect(messages[0]?.content['text'])
      .to.match(/held now +2\n/)
      .and.include('203.0.113.9 -> 192.168.1.10');
    expect((await launcher.firebreak(['approve', '--all'])).exit).to.equal(0);
  });

  it('of a list with a bad entry keeps nothing, and names every bad line', async () => {
    const file = path.join(launcher.folder, 'list.csv');
    writeFileSync(
      file,
      'ip,destination,port\n203.0.113.7,192.168.1.10,22\nbad,192.168.1.10,22\n203.0.113.8,192.168.1.10,70000\n',
    );
    const { exit, answer } = await launcher.jsonError(['import', file]);
    expect(exit).to.equal(2);
    expect(answer.error.message)
      .to.match(/line 3: .*"bad"/)
      .and.match(/line 4: .*70000/)
      .and.include('nothing was recorded');
    expect(await listed()).to.deep.equal([]);
  });
});
