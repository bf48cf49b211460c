import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { listDocuments, readDocument } from '../lab/documents.js';
import { packageRoot } from '../lab/package-root.js';

const run = promisify(execFile);

interface Manual {
  renderAll(): Record<string, string>;
  readTable(): { commands: { name: string; options: { flag: string }[] }[]; globals: { flag: string }[] };
}

const findProgram = (name: string): string | undefined =>
  ['/usr/bin', '/bin', '/usr/local/bin'].map((folder) => path.join(folder, name)).find((file) => existsSync(file));

const at = (file: string): string => path.join(packageRoot, file);

describe("the program's table of commands and options", function () {
  this.timeout(240_000); // the help of every command
  let manual: Manual;

  before(async () => {
    manual = (await import(at('scripts/manual.mjs'))) as Manual; // its two exports
  });

  it('holds every command of the help with its options, and nothing that is hidden', async () => {
    const { commands } = manual.readTable();
    const help = async (...words: string[]): Promise<string> =>
      (await run(process.execPath, [at('dist/cli.js'), ...words, '--help'])).stdout;
    const listed = [...(await help()).matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
    expect(commands.map(({ name }) => name)).to.deep.equal(listed);
    for (const { name, options } of commands) {
      const shown = [...(await help(name)).matchAll(/^ +(--?[a-z-]+)/gm)].map(([, flag = '']) => flag);
      const own = shown.filter((flag) => !['--config', '--json', '--version', '--help'].includes(flag));
      const flags = options.map(({ flag }) => flag.replace('--no-', '--'));
      expect({ name, flags: flags.sort() }).to.deep.equal({ name, flags: own.sort() });
    }
  });

  for (const file of ['man/firebreak.1', 'completions/firebreak.bash', 'completions/_firebreak', 'docs/commands.md']) {
    it(`is what ${file} tells (npm run manual makes it anew)`, () => {
      expect(readFileSync(at(file), 'utf8')).to.equal(manual.renderAll()[file]);
    });
  }

  it('is told in the documents, option by option', () => {
    const documents = listDocuments().map(readDocument).join('\n');
    const { commands, globals } = manual.readTable();
    const flags = new Set([...globals, ...commands.flatMap(({ options }) => options)].map(({ flag }) => flag));
    const isTold = (flag: string): boolean => new RegExp(`(?<![\\w-])${flag}(?![\\w-])`).test(documents);
    expect([...flags].filter((flag) => !isTold(flag))).to.deep.equal([]);
  });
});

describe('the man page', function () {
  this.timeout(60_000);

  it('is laid out without a warning, and tells what a person looks for', async function () {
    if (findProgram('man') === undefined || findProgram('groff') === undefined) this.skip();
    const env = {
      PATH: process.env['PATH'],
      LC_ALL: 'C.UTF-8',
      MANROFFSEQ: '',
      MANWIDTH: '80',
      MAN_KEEP_FORMATTING: '',
    };
    const args = ['--warnings', '--encoding=UTF-8', '--local-file', at('man/firebreak.1')];
    const { stdout, stderr } = await run('man', args, { env });
    expect(stderr).to.equal('');
    for (const text of ['NAME', 'firebreak block', '--for DURATION', 'EXIT STATUS', '75', 'FIREBREAK_CONFIG']) {
      expect(stdout).to.include(text);
    }
  });

  it('holds no control line by accident, and no dash that would become another sign', () => {
    const lines = readFileSync(at('man/firebreak.1'), 'utf8').split('\n');
    expect(lines.filter((line) => /^[.']/.test(line) && !/^\.(TH|SH|SS|TP|PP|BR|\\")( |$)/.test(line))).to.deep.equal(
      [],
    );
    expect(lines.filter((line) => !line.startsWith('.') && /(?<!\\)-/.test(line))).to.deep.equal([]);
  });
});

describe('completions', function () {
  this.timeout(60_000);

  describe('for bash', () => {
    /** What bash offers for these words; the last one is the one that is being typed. */
    async function complete(...words: string[]): Promise<string[]> {
      const script = `source "$0" && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && _firebreak && printf '%s\\n' "\${COMPREPLY[@]}"`;
      const args = ['--norc', '-c', script, at('completions/firebreak.bash'), 'firebreak', ...words];
      const { stdout, stderr } = await run('bash', args, { cwd: packageRoot });
      expect(stderr).to.equal('');
      return stdout.split('\n').filter(Boolean);
    }

    before(function () {
      if (findProgram('bash') === undefined) this.skip();
    });

    it('offer commands', async () => {
      expect(await complete('un')).to.deep.equal(['unblock', 'unfreeze', 'uninstall']);
      expect(await complete('')).to.include.members(['block', 'doctor', 'install']);
    });

    it("offer a command's own options and those of every command", async () => {
      expect(await complete('block', '203.0.113.7', '--dst')).to.deep.equal(['--dst-ip', '--dst-port']);
      expect(await complete('show', '--')).to.have.members(['--config', '--json', '--help', '--version']);
      expect(await complete('block', '--no')).to.deep.equal(['--no-wait']);
      expect(await complete('drain', '--ow')).to.deep.equal([]);
    });

    it('offer the words that an option takes, also behind an equals sign', async () => {
      expect(await complete('list', '--state', 're')).to.deep.equal(['releasing', 'released', 'refused']);
      expect(await complete('list', '--state', '=', 'h')).to.deep.equal(['held']);
      expect(await complete('list', '--state', '=')).to.include('all');
    });

    it('offer files where a file is meant, and nothing where anything may stand', async () => {
      expect(await complete('--config', 'pack')).to.include('package.json');
      expect(await complete('import', 'pack')).to.include('package.json');
      expect(await complete('show', 'pack')).to.deep.equal([]);
      expect(await complete('block', '--for', '')).to.deep.equal([]);
    });

    it('are taken by bash itself', async () => {
      const { stdout } = await run('bash', [
        '--norc',
        '-c',
        'source "$0" && complete -p firebreak',
        at('completions/firebreak.bash'),
      ]);
      expect(stdout.trim()).to.equal('complete -F _firebreak firebreak');
    });
  });

  describe('for zsh', () => {
    /** Types this and a tab into a real zsh on a terminal of its own; gives what then stands on its line. */
    async function complete(typed: string): Promise<string> {
      const script = `
        zmodload zsh/zpty || exit 1
        zpty z 'zsh -f -i'
        zpty -w z "PS1=''; unsetopt zle_bracketed_paste prompt_cr; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -D -u"
        zpty -w z "bindkey '^I' complete-word; show() { print -r -- \\"<\\$BUFFER>\\" }; zle -N show; bindkey '^X' show; print rea''dy"
        zpty -r z line '*ready*'
        zpty -w -n z "$2"$'\\t\\x18'
        zpty -r -m z line '*<firebreak*>*'
        print -r -- $line
        zpty -d z`;
      const args = ['-f', '-c', script, 'zsh', at('completions'), typed];
      const { stdout } = await run('zsh', args, { env: { ...process.env, TERM: 'dumb' }, timeout: 50_000 });
      return /<(firebreak[^>]*)>/.exec(stdout)?.[1] ?? stdout;
    }

    before(function () {
      if (findProgram('zsh') === undefined) this.skip();
    });

    for (const [typed, completed] of [
      ['firebreak unb', 'firebreak unblock '],
      ['firebreak block 203.0.113.7 --dst-p', 'firebreak block 203.0.113.7 --dst-port='],
      ['firebreak list --state=hel', 'firebreak list --state=held '],
      ['firebreak sensor --spool-d', 'firebreak sensor --spool-days='],
    ] as const) {
      it(`make of "${typed}" "${completed}"`, async () => {
        expect(await complete(typed)).to.equal(completed);
      });
    }
  });
});
