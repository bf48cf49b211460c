import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

/** Descriptions that would do something if somebody on the way read them as more than text. */
const payloads: readonly (readonly [string, (canary: string) => string, string])[] = [
  ['a shell', (canary) => `$(touch ${canary}) \`touch ${canary}\`; touch ${canary} &`, 'touch'],
  ['Jinja', (canary) => `{{ lookup('pipe', 'touch ${canary}') }}`, 'lookup'],
  ['Jinja that leaves raw', (canary) => `{% endraw %}{{ lookup("pipe", "touch ${canary}") }}{% raw %}`, 'endraw'],
  ['YAML', (canary) => `x"\n- !!python/object/apply:os.system ["touch ${canary}"]\n# \u2028 !unsafe 'x'`, 'x - python'],
  ['XML', () => 'x]]></descr><disabled></disabled><type>pass</type><descr>&#10;', 'x descr'],
  ['pf', () => 'x" $srcaddr\npass quick all #\\', 'x srcaddr pass quick all'],
];

describe('firebreak block takes an alarm’s text as data', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
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

  for (const [index, [reader, payload, kept]] of payloads.entries()) {
    it(`not as words for ${reader}`, async () => {
      const canary = path.join(launcher.folder, 'pwned');
      const source = `203.0.113.${index + 1}`;
      const before = await edge.loadedRules();
      const { exit, answer } = await launcher.json([
        ...['block', source, '192.168.1.10', '22'],
        ...['--description', payload(canary)],
      ]);
      expect(answer.blocks[0]?.reason).to.equal(null);
      expect(exit).to.equal(0);
      expect(existsSync(canary)).to.equal(false);
      expect(answer.blocks[0]?.description)
        .to.match(/^[A-Za-z0-9 .:_-]{1,52}$/)
        .and.include(kept);
      await edge.gui(['save']);
      const added = (await edge.loadedRules()).filter((rule) => !before.includes(rule));
      expect(added).to.have.length(1);
      expect(added[0]).to.match(new RegExp(`^block drop in quick on em0 .* from ${source} to 192\\.168\\.1\\.10 `));
      expect(added[0]).to.include(`label "USER_RULE: ${answer.blocks[0]!.description}"`);
    });
  }

  it('and keeps nothing of a description that has no letter in it', async () => {
    const { exit, answer } = await launcher.json([
      'block',
      '203.0.113.99',
      '192.168.1.10',
      '22',
      '--description',
      '$(){}',
    ]);
    expect(exit).to.equal(0);
    expect(answer.blocks[0]?.description).to.equal('');
    expect((await edge.loadedRules()).join()).to.include('from 203.0.113.99 to');
  });
});
