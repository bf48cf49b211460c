import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { openLedger } from '#firebreak/ledger/index.js';
import { makeLauncher, type Answer, type Launcher } from '../lab/launcher.js';
import { aFlow, anAlarm } from '../fixtures.js';

/** A firewall that no run reaches: blocks that were never applied are released by the ledger alone. */
const nowhere = { host: '127.0.0.1', port: 1 };

const sources = ['203.0.113.7', '203.0.113.0/24', '203.0.112.0/22', '203.0.113.64/26', '2001:db8::/32', '2001:db8::7'];

describe('a source and the networks around it', function () {
  this.timeout(60_000);
  let launcher: Launcher;

  beforeEach(async () => {
    launcher = makeLauncher({ edge: nowhere });
    mkdirSync(launcher.stateDir, { recursive: true });
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    try {
      await ledger.freeze('a test', 'a test');
      const alarms = sources.map((source, index) =>
        anAlarm(`A${index}`, {
          flow: aFlow(
            source.includes(':')
              ? { source, ipprotocol: 'inet6', destination: '2001:db8:1::10' }
              : { source, destination: index === 3 ? '192.168.1.11' : '192.168.1.10' },
          ),
        }),
      );
      await ledger.recordAlarms(alarms, { recheckMs: 0 });
    } finally {
      await ledger.close();
    }
  });

  afterEach(() => launcher.remove());

  const listed = async (source: string, ...more: string[]): Promise<string[]> => {
    const { answer } = await launcher.json(['list', '--source', source, ...more]);
    return answer.blocks.map((block) => block.source);
  };

  const current = async (): Promise<string[]> =>
    (await launcher.json(['list'])).answer.blocks.map((block) => block.source);

  it('list finds what is inside and what covers it, of the same family', async () => {
    expect(await listed('203.0.113.7')).to.have.members(['203.0.113.7', '203.0.113.0/24', '203.0.112.0/22']);
    expect(await listed('203.0.113.8')).to.have.members(['203.0.113.0/24', '203.0.112.0/22']);
    expect(await listed('203.0.113.0/24')).to.have.members(sources.slice(0, 4));
    expect(await listed('0.0.0.0/0')).to.have.members(sources.slice(0, 4));
    expect(await listed('2001:db8::7')).to.have.members(['2001:db8::7', '2001:db8::/32']);
    expect(await listed('198.51.100.0/24')).to.deep.equal([]);
  });

  it('unblock of a network releases what is inside, and names what still covers it', async () => {
    const { exit, stdout, stderr } = await launcher.firebreak(['unblock', '203.0.113.0/24', '--json']);
    expect(exit).to.equal(0);
    const { blocks } = JSON.parse(stdout) as Answer;
    expect(blocks.map(({ source, state }) => `${source} ${state}`)).to.have.members([
      '203.0.113.7 released',
      '203.0.113.0/24 released',
      '203.0.113.64/26 released',
    ]);
    expect(stderr).to.match(/still blocked: edge: 203\.0\.112\.0\/22 -> .* covers it; .* firebreak unblock \w{6}/);
    expect(await current()).to.have.members(['203.0.112.0/22', '2001:db8::/32', '2001:db8::7']);
  });

  it('unblock of ids, addresses and networks at once releases them all, or none if one is unknown', async () => {
    const { blocks } = (await launcher.json(['list', '--source', '2001:db8::7'])).answer;
    const id = blocks.find(({ source }) => source === '2001:db8::7')!.id.slice(-6);
    const unknown = await launcher.jsonError(['unblock', id, '198.51.100.9']);
    expect(unknown.answer.error).to.include({ code: 'block_unknown' });
    expect(await current()).to.have.members(sources);
    const { exit, answer } = await launcher.json(['unblock', id, '203.0.113.7', '203.0.113.64/26']);
    expect(exit).to.equal(0);
    expect(answer.blocks.map(({ source, state }) => `${source} ${state}`)).to.have.members([
      '2001:db8::7 released',
      '203.0.113.7 released',
      '203.0.113.64/26 released',
    ]);
    expect((await launcher.firebreak(['unblock', id])).stdout).to.match(
      /^edge: already released 2001:db8::7 .*: released by .*, \d{4}-.* \(id \w{6}\)\n$/,
    );
    expect((await launcher.firebreak(['show', id])).stdout)
      .to.match(/^state +released$/m)
      .and.match(/^ended +.* ago\), released by .*$/m);
  });

  it('unblock --last releases what the caller blocked last', async () => {
    expect((await launcher.jsonError(['unblock', '--last', '203.0.113.7'])).exit).to.equal(2);
    expect((await launcher.jsonError(['unblock', '--last'])).answer.error.code).to.equal('block_unknown');
    await launcher.firebreak(['block', '198.51.100.7', '192.168.1.10', '22']);
    const { answer } = await launcher.json(['unblock', '--last']);
    expect(answer.blocks.map(({ source, state }) => `${source} ${state}`)).to.deep.equal(['198.51.100.7 released']);
  });

  it('unblock --allow says why in the reason', async () => {
    const { answer } = await launcher.json(['unblock', '203.0.113.7', '--allow', '30d', 'our scanner']);
    expect(answer.blocks[0]!.reason).to.match(/^released by .*: our scanner$/);
  });

  it('block takes several sources, checks all of them first, and says how if they stand in place of the port', async () => {
    const towards = ['--dst-ip', '192.168.1.10', '--dst-port', '25', '--no-wait'];
    const named = (...all: string[]): string[] => all.flatMap((source) => ['--src-ip', source]);
    const bad = await launcher.jsonError(['block', ...named('198.51.100.7', '198.51.100'), ...towards]);
    expect(bad.answer.error.code).to.equal('alarm_invalid');
    const { answer } = await launcher.json(['block', ...named('198.51.100.7', '198.51.100.8'), ...towards]);
    expect(answer.blocks.map(({ source }) => source)).to.deep.equal(['198.51.100.7', '198.51.100.8']);
    expect((await current()).filter((source) => source.startsWith('198.'))).to.have.length(2);
    const { exit, stderr } = await launcher.firebreak(['block', '198.51.100.7', '198.51.100.8', '198.51.100.9']);
    expect({ exit, stderr }).to.deep.include({ exit: 2 });
    expect(stderr).to.include('firebreak block --src-ip 198.51.100.7 --src-ip 198.51.100.8 --dst-ip DESTINATION');
    expect((await launcher.firebreak(['block', '198.51.100.7'])).stderr).to.include(
      'firebreak block 198.51.100.7 DESTINATION PORT',
    );
  });

  it('unblock of a network takes the destination and port into account', async () => {
    const { answer } = await launcher.json(['unblock', '203.0.113.0/24', '192.168.1.10', '22']);
    expect(answer.blocks).to.have.length(2);
    expect(await current()).to.include('203.0.113.64/26');
  });

  it('unblock of a covered host releases no network, and says which covers it', async () => {
    const { exit, answer } = await launcher.jsonError(['unblock', '203.0.113.8']);
    expect(exit).to.equal(2);
    expect(answer.error.message.split('\n')).to.have.length(2);
    expect(answer.error.message).to.match(
      /it has no block of its own, but edge: 203\.0\.113\.0\/24 -> 192\.168\.1\.10 tcp\/22 on wan covers it; to release that whole network, run firebreak unblock \w{6}/,
    );
    expect(await current()).to.have.members(sources);
  });

  it('show of an address shows its blocks and those that cover it, or the last one it had', async () => {
    const { stdout } = await launcher.firebreak(['show', '203.0.113.7', '--json']);
    const { blocks } = JSON.parse(stdout) as Answer;
    expect(blocks.map(({ source }) => source)).to.have.members(['203.0.113.7', '203.0.113.0/24', '203.0.112.0/22']);
    expect((await launcher.firebreak(['show', '203.0.113.8'])).stdout.match(/^block /gm)).to.have.length(2);
    await launcher.firebreak(['unblock', '2001:db8::/32']);
    expect((await launcher.firebreak(['show', '2001:db8::7'])).stdout).to.match(/^state +released/m);
    const unknown = await launcher.jsonError(['show', '198.51.100.9']);
    expect(unknown.answer.error).to.include({ code: 'block_unknown', exit: 2 });
  });
});
