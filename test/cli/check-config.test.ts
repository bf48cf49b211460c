import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { sample } from '../lab/firewall.js';
import { packageRoot } from '../lab/package-root.js';

const script = path.join(packageRoot, 'playbooks/roles/pfsense/files/check_config.py');
const rule = '\t\t<rule><type>block</type><interface>wan</interface><tracker>2000000001</tracker></rule>\n';

describe('the check of a new config.xml', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'check-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** Has it compare two files of which the second would take the place of the first. */
  function check(before: string, after: string): { status: number | null; said: string } {
    const [old, fresh] = ['old.xml', 'new.xml'].map((name) => path.join(folder, name));
    writeFileSync(old!, before);
    writeFileSync(fresh!, after);
    const args = ['-c', readFileSync(script, 'utf8'), old!, '/nowhere/php', 'adds', '1', fresh!];
    const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
    return { status, said: stderr };
  }

  const withText = (text: string): string =>
    readFileSync(sample('office'), 'utf8').replace(
      '</pfsense>',
      `\t<custom><options>${text}</options></custom>\n</pfsense>`,
    );
  const withRule = (config: string): string => config.replace('\t<filter>\n', `\t<filter>\n${rule}`);

  // expat hands a text over in pieces of at most its buffer's length, and where it cuts depends on what came before.
  for (const length of [1, 8191, 8192, 8193, 16_385, 100_000]) {
    it(`lets one rule of ours pass before a text of ${length} characters, with entities in it`, () => {
      const config = withText(
        'ab&amp;c&#228;'
          .repeat(length)
          .slice(0, length)
          .replace(/&[^;]*$/, ''),
      );
      expect(check(config, withRule(config))).to.deep.equal({ status: 0, said: '' });
    });
  }

  it('finds one letter that would change in a long text', () => {
    const text = 'x'.repeat(50_000);
    const changed = withRule(withText(`${text.slice(1)}y`));
    expect(check(withText(text), changed)).to.deep.equal({ status: 4, said: 'more than rules of ours would change' });
  });
});
