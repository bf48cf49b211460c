import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { makeToken, startServing, stopServing } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

interface Shown {
  id: string;
  source: string;
  tags: string[];
}

describe('tags of blocks', function () {
  this.timeout(120_000);
  let launcher: Launcher;

  // No run is started: changes are frozen, which exit 7 says.
  beforeEach(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    await launcher.firebreak(['freeze', 'a test']);
  });
  afterEach(() => launcher.remove());

  const block = (...words: string[]) =>
    launcher.firebreak(['block', '203.0.113.7', '192.168.1.10', '22', '--no-wait', ...words]);

  const list = async (...words: string[]): Promise<Shown[]> => {
    const { stdout } = await launcher.firebreak(['list', '--json', ...words]);
    return (JSON.parse(stdout) as { blocks: Shown[] }).blocks;
  };

  it('come from the alarms, are added to those that the block has, and stay within their limit', async () => {
    expect((await block('--tag', 'dmz', '--tag=lab-2', '--tag', 'dmz')).exit).to.equal(7);
    await block();
    await block('--tag', 'lab-2', '--tag', 'night');
    expect((await list())[0]?.tags).to.deep.equal(['dmz', 'lab-2', 'night']);
    await block(...['a', 'b', 'c', 'd', 'e', 'f'].flatMap((tag) => ['--tag', tag]));
    expect((await list())[0]?.tags).to.deep.equal(['dmz', 'lab-2', 'night', 'a', 'b', 'c', 'd', 'e']);
  });

  it('choose what list shows, and are in its table, in CSV, in show, in the report and in the audit log', async () => {
    await block('--tag', 'dmz', '--tag', 'lab');
    await launcher.firebreak(['block', '203.0.113.8', '192.168.1.10', '22', '--no-wait', '--tag', 'dmz']);
    const sources = async (...words: string[]) => (await list(...words)).map(({ source }) => source);
    expect(await sources('--tag', 'dmz')).to.deep.equal(['203.0.113.7', '203.0.113.8']);
    expect(await sources('--tag', 'dmz', '--tag', 'lab')).to.deep.equal(['203.0.113.7']);
    expect(await sources('--tag', 'dm')).to.deep.equal([]);
    const [first] = await list();
    expect((await launcher.firebreak(['list', '--csv'])).stdout).to.match(
      /,tags,packets,packets_at\n[^]*,dmz lab,0,\n/,
    );
    expect((await launcher.firebreak(['show', first?.id ?? ''])).stdout).to.contain('tags         dmz lab');
    expect((await launcher.firebreak(['report'])).stdout).to.match(/TAG\n +2 +2 {2}dmz\n +1 +1 {2}lab\n/);
    const { entries } = JSON.parse((await launcher.firebreak(['audit', '--json'])).stdout) as {
      entries: Record<string, unknown>[];
    };
    expect(entries.find(({ event }) => event === 'alarm')?.['tags']).to.deep.equal(['dmz', 'lab']);
  });

  it('are given to all entries of a list', async () => {
    const file = path.join(launcher.folder, 'list.csv');
    writeFileSync(file, 'src_ip,dst_port\n203.0.113.9,22\n203.0.113.10,22\n');
    const words = ['--dst-ip', '192.168.1.10', '--tag', 'feed', '--tag', 'x', '--no-wait'];
    const { exit, stderr } = await launcher.firebreak(['import', file, ...words]);
    expect(exit, stderr).to.equal(7);
    expect((await list('--tag', 'feed')).map(({ tags }) => tags)).to.deep.equal([
      ['feed', 'x'],
      ['feed', 'x'],
    ]);
  });

  it('come by HTTP, as a list or as the text or list of a SIEM, and choose what the API lists', async () => {
    const fields = { src_ip: 'src', dst_ip: { value: '192.168.1.10' }, dst_port: { value: '22' }, tags: 'rule.groups' };
    launcher.configure({ serve: { sources: { own: { fields } } } });
    const serving = await startServing(launcher, await makeToken(launcher, 'siem', '--scope', 'operate'));
    try {
      const send = async (source: string, document: object) =>
        (await serving.post(`/api/v1/alarms/${source}`, document)).status;
      const alarm = { src_ip: '203.0.113.7', dst_ip: '192.168.1.10', dst_port: 22 };
      expect(await send('generic', { ...alarm, tags: ['dmz', 'night'] })).to.equal(202);
      expect(await send('own', { src: '203.0.113.8', rule: { groups: 'DMZ, Brute_Force;ssh' } })).to.equal(202);
      expect(await send('own', { src: '203.0.113.9', rule: { groups: ['sshd', 'Failed', {}] } })).to.equal(202);
      expect(await send('own', { src: '203.0.113.10' })).to.equal(202);

      const chosen = async (query: string) => {
        const { json } = await serving.get(`/api/v1/blocks?${query}`);
        return (json.blocks as unknown as readonly Shown[]).map(({ source, tags }) => [source, ...tags]);
      };
      const first = ['203.0.113.7', 'dmz', 'night'];
      const second = ['203.0.113.8', 'dmz', 'brute-force', 'ssh'];
      expect(await chosen('')).to.deep.equal([first, second, ['203.0.113.9', 'sshd', 'failed'], ['203.0.113.10']]);
      expect(await chosen('tag=dmz')).to.deep.equal([first, second]);
      expect(await chosen('tag=dmz&tag=ssh')).to.deep.equal([second]);
      expect(await chosen('tag=lab')).to.deep.equal([]);

      for (const [tags, message] of [
        [['DMZ'], 'expected 1 to 32 lower-case letters, digits or "-", got "DMZ"'],
        [['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], 'expected at most 8, got 9'],
      ] as const) {
        const { status, json } = await serving.post('/api/v1/alarms/generic', { ...alarm, tags });
        expect({ status, problems: json.error.problems }).to.deep.equal({
          status: 400,
          problems: [{ path: 'tags', message }],
        });
      }
    } finally {
      await stopServing(serving);
    }
  });

  for (const [tags, sentence] of [
    [['DMZ'], /tag: expected 1 to 32 lower-case letters, digits or "-", got "DMZ"/],
    [['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], /tag: expected at most 8, got 9/],
  ] as const) {
    it(`refuses ${tags.join(' ')}`, async () => {
      const { exit, stderr } = await block(...tags.flatMap((tag) => ['--tag', tag]));
      expect({ exit, blocks: await list() }).to.deep.equal({ exit: 2, blocks: [] });
      expect(stderr).to.match(sentence);
    });
  }
});
