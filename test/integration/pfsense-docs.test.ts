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

interface Specification {
  readonly options: Readonly<
    Record<string, { readonly type?: string; readonly description?: string; readonly default?: unknown }>
  >;
}

describe('the argument specification of the pfSense role', () => {
  const read = (file: string): unknown => parse(readFileSync(path.join(role, file), 'utf8'));
  const defaults = read('defaults/main.yml') as Record<string, string | number>;
  const { argument_specs: specs } = read('meta/argument_specs.yml') as {
    readonly argument_specs: Readonly<Record<string, Specification>>;
  };

  it('has every variable of the role with its type and its default', () => {
    const options = specs['main']?.options ?? {};
    expect(options).to.have.all.keys(...Object.keys(defaults), 'firebreak_fix', 'firebreak_partial');
    for (const [name, option] of Object.entries(options)) {
      expect(option, name).to.include.keys('type', 'description');
      const value = defaults[name];
      if (value === undefined) expect(option.default, name).to.be.false;
      // A default that is computed is described in words.
      else expect(option.default, name).to.equal(String(value).startsWith('{{') ? undefined : value);
    }
  });

  it('leaves out the flows, which Ansible would template to validate them', () => {
    const names = Object.values(specs).flatMap(({ options }) => Object.keys(options));
    for (const name of ['firebreak_present', 'firebreak_absent']) expect(names).to.not.include(name);
  });

  it('describes a variable in the same way for each entry point', () => {
    expect(specs).to.have.all.keys('main', 'status', 'doctor');
    for (const name of ['status', 'doctor']) expect(specs['main']?.options).to.deep.include(specs[name]?.options);
  });
});

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
