import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { runPlaybook, type Flow } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { packageRoot } from '../lab/package-root.js';

const role = path.join(packageRoot, 'playbooks/roles/pfsense');
const page = readFileSync(path.join(packageRoot, 'docs/pfsense.md'), 'utf8');

/** The rows of the table below a heading, each as its cells. */
function tableBelow(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1));
}

const quotedIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

function pythonFiles(): string[] {
  const folder = path.join(packageRoot, 'playbooks');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.py'));
  return names.map((name) => readFileSync(path.join(folder, name), 'utf8'));
}

describe('docs/pfsense.md', function () {
  this.timeout(240_000);

  it('lists every variable of the role with its default', () => {
    const defaults = parse(readFileSync(path.join(role, 'defaults/main.yml'), 'utf8')) as Record<string, unknown>;
    const documented = new Map(
      tableBelow('Variables').map(([name = '', value = '']) => [quotedIn(name)[0] ?? '', value]),
    );
    expect([...documented.keys()].filter((name) => name.startsWith('pfsense_'))).to.have.members(Object.keys(defaults));
    for (const [name, value] of Object.entries(defaults)) {
      const text = String(value);
      // A default that is computed is told in words.
      if (!text.startsWith('{{')) expect(quotedIn(documented.get(name)), name).to.deep.equal([text]);
    }
  });

  it('lists every error code, and no other', () => {
    const text = pythonFiles().join('\n');
    const patterns = [
      /\bRefusal\(\s*"([a-z]+_[a-z]+)"/g,
      /\bfail\((?:code or )?"([a-z]+_[a-z]+)"/g,
      /"code": "([a-z]+_[a-z]+)"/g,
      /\bcode = "([a-z]+_[a-z_]+)"/g,
      /\breturn "([a-z]+_[a-z]+)", /g,
      /^ {4}\(r".*", "([a-z]+_[a-z]+)", /gm,
      /^ {8}"([a-z]+_[a-z]+)",$/gm,
    ];
    const used = new Set(patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code = '']) => code)));
    const documented = tableBelow('Error codes').flatMap(([codes]) => quotedIn(codes));
    expect(documented).to.have.members([...used]);
  });

  describe('has examples that work as they stand:', () => {
    let firewall: Firewall;
    before(async () => {
      firewall = await startFirewall();
    });
    after(async () => {
      await firewall.stop();
    });

    it('block.yml', async () => {
      const [, words = ''] = /block\.yml -e '(\{[^']*\})'/.exec(page) ?? [];
      const vars = JSON.parse(words) as Record<string, unknown>;
      const run = await runPlaybook(firewall, { playbook: 'block', vars });
      expect(run.result().proven, run.text).to.be.true;
      expect((await runPlaybook(firewall, { playbook: 'unblock', vars })).result().removed).to.have.length(1);
    });

    it('apply.yml', async () => {
      const [, batch = ''] = /```json\n([^]*?)```/.exec(page) ?? [];
      const vars = JSON.parse(batch) as { firebreak_present: Flow[] };
      const run = await runPlaybook(firewall, { vars });
      expect(run.result().proven, run.text).to.be.true;
      expect(run.result().added).to.have.length(vars.firebreak_present.length);
    });
  });
});
