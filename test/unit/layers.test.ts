import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';

/** From the top down: a file may import from lower layers and from its own folder, from nothing else. */
const layers = [
  ['main', 'compile'],
  ['cli'],
  ['serve'],
  ['app'],
  ['doctor'],
  ['notify'],
  ['dispatch'],
  ['views', 'intake', 'setup'],
  ['platforms'],
  ['runtime'],
  ['ledger', 'config'],
  ['core'],
] as const;

interface Import {
  readonly from: string;
  readonly to: string;
}

/** `src/core/flow.ts` -> `core`; `src/main.ts` -> `main`. */
function layerFolder(file: string): string {
  return file.split('/')[0]!.replace(/\.ts$/, '');
}

function depthOf(file: string): number {
  return layers.findIndex((folders) => folders.some((folder) => folder === layerFolder(file)));
}

/** What a source imports, type imports, re-exports and `import()` included. */
function importedNames(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function findImports(sources: ReadonlyMap<string, string>): Import[] {
  return [...sources].flatMap(([from, text]) =>
    importedNames(text)
      .filter((name) => name.startsWith('.'))
      .map((name) => ({ from, to: path.posix.join(path.posix.dirname(from), name).replace(/\.js$/, '.ts') })),
  );
}

function findStepsBack(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to }) => {
      const sameFolder = layerFolder(from) === layerFolder(to);
      return !sameFolder && !(depthOf(to) > depthOf(from));
    })
    .map(({ from, to }) => `${from} -> ${to}`);
}

/** The first cycle found as a chain of files, or undefined. */
function findCycle(imports: readonly Import[]): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, chain: readonly string[]): string[] | undefined => {
    if (chain.includes(file)) return [...chain.slice(chain.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { to } of imports.filter(({ from }) => from === file)) {
      const cycle = visit(to, [...chain, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const { from } of imports) {
    const cycle = visit(from, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function readSources(): Map<string, string> {
  const root = path.resolve(import.meta.dirname, '../../../src');
  return new Map(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name.split(path.sep).join('/'), readFileSync(path.join(root, name), 'utf8')]),
  );
}

describe('the layers of src', () => {
  const sources = readSources();
  const imports = findImports(sources);

  it('hold every source file', () => {
    expect(sources.size).to.be.greaterThan(0);
    expect([...sources.keys()].filter((file) => depthOf(file) < 0)).to.deep.equal([]);
  });

  it('import only files that exist', () => {
    const root = path.resolve(import.meta.dirname, '../../../src');
    expect(imports.filter(({ to }) => !existsSync(path.join(root, to)))).to.deep.equal([]);
  });

  it('are imported in one direction, types included', () => {
    expect(findStepsBack(imports)).to.deep.equal([]);
  });

  it('name each file once, but for commands and registries', () => {
    const names = [...sources.keys()]
      .filter((file) => !file.startsWith('cli/commands/'))
      .map((file) => path.posix.basename(file))
      .filter((name) => name !== 'index.ts');
    expect(names.filter((name, at) => names.indexOf(name) !== at)).to.deep.equal([]);
  });

  it('hold no cycle', () => {
    expect(findCycle(imports)).to.equal(undefined);
  });

  it('keep core pure: no file, clock, process, network or package with one', () => {
    const allowed = new Set(['node:crypto', 'node:net', 'ipaddr.js']);
    const impure = [...sources]
      .filter(([file]) => layerFolder(file) === 'core')
      .flatMap(([file, text]) => importedNames(text).map((name) => ({ file, name })))
      .filter(({ name }) => !name.startsWith('.') && !allowed.has(name));
    expect(impure).to.deep.equal([]);
  });
});

describe('the test of the layers itself', () => {
  const check = (files: Record<string, string>): Import[] => findImports(new Map(Object.entries(files)));

  it('finds a step back through a type import', () => {
    const imports = check({ 'core/flow.ts': `import type { Config } from '../config/schema.js';` });
    expect(findStepsBack(imports)).to.deep.equal(['core/flow.ts -> config/schema.ts']);
  });

  it('finds an import between siblings, static, exported or lazy', () => {
    const imports = check({
      'views/mail.ts': `export { run } from '../intake/run.js';`,
      'intake/argv.ts': `const load = () => import('../setup/confirm.js');`,
    });
    expect(findStepsBack(imports)).to.have.length(2);
  });

  it('lets the way down pass', () => {
    const imports = check({
      'main.ts': `import { block } from './app/block.js';`,
      'app/block.ts': `import { run } from '../platforms/run.js'; import { parse } from '../core/flow.js';`,
    });
    expect(findStepsBack(imports)).to.deep.equal([]);
  });

  it('finds a cycle within one folder', () => {
    const imports = check({
      'core/a.ts': `import { b } from './b.js';`,
      'core/b.ts': `import { c } from './c.js';`,
      'core/c.ts': `import type { A } from './a.js';`,
    });
    expect(findCycle(imports)).to.deep.equal(['core/a.ts', 'core/b.ts', 'core/c.ts', 'core/a.ts']);
  });
});
