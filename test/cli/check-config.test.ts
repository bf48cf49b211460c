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

  interface Way {
    readonly direction?: 'adds' | 'removes';
    /** Changes the program, to force it to one of its two ways. */
    readonly by?: (program: string) => string;
  }

  const wholly = (program: string): string =>
    program.replace(/(def read_difference.*\n)/, '$1    return None\n\n\ndef unused(old, new):\n');
  const byBytesAlone = (program: string): string =>
    program.replace(/(def parse_whole.*\n)/, '$1    stop(9, "parsed as a whole")\n');

  /** Has it compare two files of which the second would take the place of the first. */
  function check(before: string, after: string, way: Way = {}): { status: number | null; said: string } {
    const { direction = 'adds', by = (program) => program } = way;
    const [old, fresh] = ['old.xml', 'new.xml'].map((name) => path.join(folder, name));
    writeFileSync(old!, before);
    writeFileSync(fresh!, after);
    const args = ['-c', by(readFileSync(script, 'utf8')), old!, '/nowhere/php', direction, '1', fresh!];
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

  const ruleOf = (tracker: string, more = ''): string =>
    `\t\t<rule><type>block</type><tracker>${tracker}</tracker>${more}</rule>\n`;
  const configOf = (rules: string, { head = '', tail = '' } = {}): string =>
    `<?xml version="1.0"?>\n<pfsense>\n${head}\t<syslog><filter></filter></syslog>\n\t<filter>\n${rules}\t</filter>\n${tail}</pfsense>\n`;
  const ours = ['2000000001', '2000000002', '2000000003', '2100000000'].map((tracker) => ruleOf(tracker));
  const three = ours.slice(0, 3).join('');
  const added = configOf(`${ours[3]}${three}`);

  it('parses nothing but the rules around the difference', () => {
    for (const [before, after] of [
      [configOf(three), added],
      [configOf(three), configOf(`${ours[0]}${ours[3]}${ours[1]}${ours[2]}`)],
      [configOf(three), configOf(`${three}${ours[3]}`)],
      [configOf(''), configOf(ours[3] ?? '')],
    ] as const) {
      expect(check(before, after, { by: byBytesAlone }), after).to.deep.equal({ status: 0, said: '' });
      expect(check(after, before, { by: byBytesAlone, direction: 'removes' }), after).to.include({ status: 0 });
    }
  });

  const hostile: Readonly<Record<string, readonly [string, string]>> = {
    'a rule put into a comment': [configOf(`<!--\n${three}-->`), configOf(`<!--\n${ours[3]}${three}-->`)],
    'a rule put into a text': [
      configOf(`<rule><descr><![CDATA[<filter>\n${three}]]></descr></rule>`),
      configOf(`<rule><descr><![CDATA[<filter>\n${ours[3]}${three}]]></descr></rule>`),
    ],
    'a rule put into another filter': [
      configOf(three, { head: `<x><filter>\n${three}</filter></x>` }),
      configOf(three, { head: `<x><filter>\n${ours[3]}${three}</filter></x>` }),
    ],
    'a second filter': [
      configOf(three, { tail: `<filter>\n${ruleOf('1')}</filter>\n` }),
      configOf(`${ours[3]}${three}`, { tail: `<filter>\n${ruleOf('1')}</filter>\n` }),
    ],
    'a second filter before it': [
      configOf(three, { head: '<filter></filter>\n' }),
      configOf(`${ours[3]}${three}`, { head: '<filter></filter>\n' }),
    ],
    'a filter that ends and begins again': [configOf(three), configOf(`${ours[3]}</filter><filter>${three}`)],
    'a rule of somebody else': [configOf(three), configOf(`${ruleOf('1500000000')}${three}`)],
    'a rule of somebody else that is gone': [configOf(`${ruleOf('1500000000')}${three}`), added],
    'a rule of ours that is gone': [configOf(three), configOf(`${ours[3]}${ours[1]}${ours[2]}`)],
    'a rule of ours that is changed': [
      configOf(three),
      configOf(`${ours[3]}${ruleOf('2000000001', '<disabled></disabled>')}${ours[1]}${ours[2]}`),
    ],
    'a tracker that is there': [configOf(three), configOf(`${ruleOf('2000000003', '<descr>b</descr>')}${three}`)],
    'a tracker that is there in an entity': [
      configOf(`${three}${ruleOf('&#50;100000000')}`),
      configOf(`${ours[3]}${three}${ruleOf('&#50;100000000')}`),
    ],
    'a tracker that is there in pieces': [
      configOf(`${three}${ruleOf('21000<!-- -->00000')}`),
      configOf(`${ours[3]}${three}${ruleOf('21000<!-- -->00000')}`),
    ],
    'two rules': [configOf(three), configOf(`${ours[3]}${ruleOf('2100000001')}${three}`)],
    'an end that is missing': [configOf(three), added.replace('</pfsense>', '')],
    'a change behind the filter': [
      configOf(three, { tail: '<a>1</a>' }),
      configOf(`${ours[3]}${three}`, { tail: '<a>2</a>' }),
    ],
    'a change before the filter': [
      configOf(three, { head: '<a>1</a>' }),
      configOf(`${ours[3]}${three}`, { head: '<a>2</a>' }),
    ],
    'an entity of its own': [
      configOf(three).replace('?>', '?><!DOCTYPE pfsense [<!ENTITY r "2100000000">]>'),
      added.replace('?>', '?><!DOCTYPE pfsense [<!ENTITY r "2100000000">]>'),
    ],
  };
  for (const [title, [before, after]] of Object.entries(hostile)) {
    it(`says the same by bytes as of the whole: ${title}`, () => {
      for (const direction of ['adds', 'removes'] as const) {
        const files = direction === 'adds' ? ([before, after] as const) : ([after, before] as const);
        expect(check(...files, { direction }), direction).to.deep.equal(check(...files, { direction, by: wholly }));
      }
      if (title !== 'an entity of its own') expect(check(before, after).status).to.not.equal(0);
    });
  }
});
