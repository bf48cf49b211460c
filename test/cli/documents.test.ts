import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from '#firebreak/config/schema.js';
import { findCodeBlocks, findCommands, listDocuments, readDocument } from '../lab/documents.js';
import { packageRoot } from '../lab/package-root.js';

const run = promisify(execFile);

describe('the documents', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'docs-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  describe('show commands that firebreak understands:', () => {
    /** No firewall is asked: what stands in for ansible-playbook does nothing. */
    function writeConfig(): string {
      const file = path.join(folder, 'firebreak.yml');
      const settings = { state_dir: `${folder}/state`, firewalls: { edge: { host: '127.0.0.1', port: 9 } } };
      writeFileSync(file, JSON.stringify({ ...settings, ansible: { playbook_command: '/bin/true' } }));
      writeFileSync(path.join(folder, 'banned.csv'), 'ip,reason\n203.0.113.9,listed\n');
      writeFileSync(path.join(folder, 'ossim-key.pub'), 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB ossim\n');
      writeFileSync(path.join(folder, 'password'), 'correct horse battery\n', { mode: 0o600 });
      return file;
    }

    async function findComplaint(words: readonly string[]): Promise<string> {
      const dry = ['block', 'unblock'].includes(words[0] ?? '') && !words.includes('--check') ? ['--check'] : [];
      const json = words.includes('--csv') || words.includes('--json') ? [] : ['--json'];
      const passwordFile = [`--password-file=${folder}/password`]; // a person types it
      const elsewhere = ['--dry-run', `--root=${folder}`];
      const more: Readonly<Record<string, readonly string[]>> = {
        init: [`--config=${folder}/new/firebreak.yml`, `--state-dir=${folder}/new/state`],
        install: elsewhere,
        uninstall: elsewhere,
        'user add': passwordFile,
        'user password': passwordFile,
      };
      const here = more[words[0] ?? ''] ?? more[words.slice(0, 2).join(' ')] ?? [];
      const args = [path.join(packageRoot, 'dist/cli.js'), ...words, ...dry, ...here, ...json];
      const env = { ...process.env, FIREBREAK_CONFIG: writeConfig() };
      if (words[0] === 'user' && words[1] !== 'add') {
        await run(process.execPath, [args[0]!, 'user', 'add', 'alice', '--role', 'viewer', ...passwordFile], {
          cwd: folder,
          env,
        });
      }
      // An exit code that is not 0 is no complaint: there are no blocks, and no firewall.
      const { stdout } = await run(process.execPath, args, { cwd: folder, env }).catch(
        (error: unknown) => error as { stdout: string }, // what execFile rejects with
      );
      const { error } = words.includes('--csv')
        ? {}
        : (JSON.parse(stdout) as { error?: { code: string; message: string } });
      return error === undefined || error.code === 'block_unknown' ? '' : `${error.code}: ${error.message}`;
    }

    // What follows has no end, and so no JSON.
    const commands = listDocuments()
      .flatMap(findCommands)
      .filter(({ words }) => !words.includes('--follow') && words[0] !== 'serve');
    const different = new Map(commands.map(({ where, words }) => [words.join(' '), { where, words }]));

    it('there are some', () => {
      expect(different.size).to.be.greaterThan(15);
    });

    for (const [shown, { where, words }] of different) {
      it(`${where}: firebreak ${shown}`, async () => {
        expect(await findComplaint(words)).to.equal('');
      });
    }
  });

  describe('show configurations that are valid:', () => {
    const blocks = ['README.md', 'docs/configuration.md'].flatMap(findCodeBlocks); // others show inventories too
    for (const { where, text } of blocks.filter(({ language }) => language === 'yaml')) {
      it(where, () => {
        expect(configSchema.safeParse(parse(text)).error?.issues ?? []).to.deep.equal([]);
      });
    }
  });

  it('tell every key of the configuration with its default, and no other', () => {
    const rows = readDocument('docs/configuration.md').matchAll(/^\| `([\w.]+)` \| (.*?) \|/gm);
    const told = Object.fromEntries([...rows].map(([, key = '', text = '']) => [key, readDefault(text)]));
    expect(told).to.deep.equal(Object.fromEntries(findKeys()));
  });

  describe("show a script for the SIEM's host that", () => {
    const [script = ''] = findScripts('README.md');

    /** Runs the script with stand-ins for what it calls; gives the words that ssh was given. */
    async function call(...words: string[]): Promise<{ code: number; ssh: string }> {
      const stubs = {
        timeout: 'shift; exec "$@"',
        ssh: `printf '%s\\n' "$@" >${folder}/called`,
        logger: 'test $# -gt 2 || cat >/dev/null',
      };
      for (const [name, body] of Object.entries(stubs)) writeProgram(name, body);
      const file = writeProgram('alarm', script.replace('PATH=/usr/bin:/bin', `PATH=${folder}:/usr/bin:/bin`));
      const code = await run('/bin/sh', [file, ...words], { cwd: '/' }).then(
        () => 0,
        (error: unknown) => (error as { code: number }).code, // what execFile rejects with
      );
      return { code, ssh: existsSync(`${folder}/called`) ? readFileSync(`${folder}/called`, 'utf8') : '' };
    }

    function writeProgram(name: string, body: string): string {
      const file = path.join(folder, name);
      writeFileSync(file, body.startsWith('#!') ? body : `#!/bin/sh\n${body}\n`);
      chmodSync(file, 0o700);
      return file;
    }

    it('is the same in the README and in docs/ossim.md', () => {
      expect(script).to.match(/^#!\/bin\/sh\n/);
      expect(findScripts('docs/ossim.md')).to.deep.equal([script]);
    });

    it('passes an alarm on', async () => {
      const { code, ssh } = await call('203.0.113.7', '192.168.1.10', '22');
      expect(code).to.equal(0);
      expect(ssh).to.match(/\nfirebreak\nblock\n203\.0\.113\.7\n192\.168\.1\.10\n22\n$/);
    });

    for (const word of ['$(id)', '22;id', '`id`', '22|id', '-oProxyCommand=id', "22'", '2\n2']) {
      it(`calls nobody with ${JSON.stringify(word)}`, async () => {
        expect(await call('203.0.113.7', '192.168.1.10', word)).to.deep.equal({ code: 2, ssh: '' });
      });
    }

    it('calls nobody when a word has vanished', async () => {
      expect(await call('203.0.113.7', '22')).to.deep.equal({ code: 2, ssh: '' });
    });
  });

  it("show OSSIM's command with only the characters that its field takes, and no keyword that an attacker fills", () => {
    const lines = ['README.md', 'docs/ossim.md'].flatMap((file) =>
      findCodeBlocks(file).flatMap(({ text }) => text.split('\n').filter((line) => /^\/\S+ .*SRC_IP/.test(line))),
    );
    expect(lines).to.not.deep.equal([]);
    for (const line of lines) {
      expect(line).to.match(/^[A-Za-z0-9 .,:@/?&=_\-"'<>]+$/);
      expect(line).to.not.match(/USERNAME|PASSWORD|FILENAME|USERDATA|_HOSTNAME|PLUGIN_NAME|SID_NAME/);
    }
  });

  it('point only to files that are there', () => {
    const missing = listDocuments().flatMap((file) =>
      [...readDocument(file).matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, target = '']) => path.join(path.dirname(file), target))
        .filter((target) => !existsSync(path.join(packageRoot, target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(missing).to.deep.equal([]);
  });
});

function findScripts(file: string): string[] {
  return findCodeBlocks(file)
    .map(({ text }) => text)
    .filter((text) => text.startsWith('#!'));
}

/** What the second column says: a value in code, or a word. */
function readDefault(text: string): unknown {
  return /^`.*`$/.test(text) ? (parse(text.slice(1, -1)) as unknown) : text;
}

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
}

/** Every key that can be written, and its default as it would be written. */
function findKeys(): [string, unknown][] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema;
  // Lists of addresses have their default after they are read only.
  const whole: unknown = configSchema.parse({ firewalls: { NAME: { host: '192.0.2.1' } } });
  return walk(schema, [], whole);
}

function walk(schema: Schema, at: readonly string[], inForce: unknown): [string, unknown][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]): [string, unknown][] => {
    const here = [...at, name];
    const value = inForce === undefined ? undefined : (inForce as Record<string, unknown>)[name]; // the schema's own shape
    const { additionalProperties: each } = property;
    if (typeof each === 'object' && each.properties !== undefined) {
      return walk(each, [...here, 'NAME'], (value as Record<string, unknown>)['NAME']);
    }
    if (property.properties !== undefined) return walk(property, here, value);
    if (schema.required?.includes(name) === true && property.default === undefined)
      return [[here.join('.'), 'required']];
    return [[here.join('.'), property.default ?? value ?? 'none']];
  });
}
