import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { packageRoot } from '../lab/package-root.js';

const playbooks = path.join(packageRoot, 'playbooks');
const plugins = path.join(playbooks, 'collections/ansible_collections/firebreak/core/plugins');
const library = path.join(playbooks, 'roles/pfsense/library');

interface Option {
  readonly description?: unknown;
  readonly type?: string;
}
interface Documentation {
  readonly doc: { readonly short_description: string; readonly options?: Readonly<Record<string, Option>> };
  readonly examples: string | null;
  readonly return: Readonly<Record<string, Option>> | null;
}

const namesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.py'))
    .map((name) => path.basename(name, '.py'));

describe('ansible-doc', function () {
  this.timeout(60_000);
  let home: string;

  before(() => {
    home = mkdtempSync(path.join(tmpdir(), 'doc-'));
  });
  after(() => {
    rmSync(home, { recursive: true });
  });

  async function ask(...args: string[]): Promise<unknown> {
    const env = { PATH: process.env['PATH'], HOME: home, ANSIBLE_HOME: home, LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' };
    const { stdout } = await promisify(execFile)('ansible-doc', ['--json', ...args], { env, cwd: home });
    return JSON.parse(stdout);
  }

  function expectWhole(name: string, documentation: Documentation | undefined): void {
    expect(documentation?.doc.short_description, name).to.be.a('string').and.not.empty;
    for (const [option, described] of Object.entries(documentation?.doc.options ?? {})) {
      expect(described, `${name}: ${option}`).to.include.keys('description', 'type');
    }
    expect(documentation?.examples, name).to.include(`${name}:`);
    expect(documentation?.return, name).to.be.an('object').and.not.empty;
    for (const [value, described] of Object.entries(documentation?.return ?? {})) {
      expect(described, `${name}: ${value}`).to.include.keys('description', 'type');
    }
  }

  it('shows each module of the collection, and there is one for each action plugin', async () => {
    const names = namesIn(path.join(plugins, 'modules')).map((name) => `firebreak.core.${name}`);
    expect(names).to.include.members(namesIn(path.join(plugins, 'action')).map((name) => `firebreak.core.${name}`));
    const args = ['--playbook-dir', playbooks, '-t', 'module', ...names];
    const shown = (await ask(...args)) as Record<string, Documentation>; // ansible-doc's documented form
    expect(shown).to.have.all.keys(names);
    for (const name of names) expectWhole(name, shown[name]);
  });

  it('shows each module of the pfSense role, and there is one for each action plugin', async () => {
    const names = namesIn(library);
    expect(names).to.have.members(namesIn(path.join(playbooks, 'roles/pfsense/action_plugins')));
    const args = ['-M', library, '--playbook-dir', playbooks, '-t', 'module', ...names];
    const shown = (await ask(...args)) as Record<string, Documentation>; // ansible-doc's documented form
    expect(shown).to.have.all.keys(names);
    for (const name of names) expectWhole(name, shown[name]);
  });

  it('shows the entry points of the pfSense role', async () => {
    const shown = (await ask('-t', 'role', '-r', path.join(playbooks, 'roles'), 'pfsense')) as {
      readonly pfsense: { readonly entry_points: Readonly<Record<string, unknown>> };
    }; // ansible-doc's documented form
    expect(shown.pfsense.entry_points).to.have.all.keys('main', 'status', 'doctor');
  });
});
