// Bundles the compiled program into a few files in dist/: a launcher runs for a fraction of a second, and finding some 400
// modules would take most of it. Code that one command alone needs stays in a file of its own, loaded when it is called.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const outdir = path.join(root, 'dist');

/** Packages left out of the bundle, because they find their compiled part relative to themselves. */
export const external = ['@photostructure/sqlite'];

/** The licences of the bundled packages, which have to be included. */
function renderLicences(inputs) {
  const folders = inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].sort().map((folder) => {
    const read = (name) => readFileSync(path.join(root, folder, name), 'utf8');
    const { name, version, license } = JSON.parse(read('package.json'));
    const file = readdirSync(path.join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
    return `${name} ${version}: ${license}\n\n${file === undefined ? '' : `${read(file).trim()}\n`}`;
  });
}

async function bundle() {
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { cli: path.join(root, 'build/src/main.js') },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external,
    metafile: true,
    absWorkingDir: root,
    // yargs measures its help with it; the original creates an Intl.Segmenter at every start, which takes 20 ms.
    alias: { 'string-width': 'fast-string-width' },
    // CommonJS packages load Node's own modules with it.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  const licences = renderLicences(Object.keys(metafile.inputs));
  const line = `\n${'-'.repeat(80)}\n`;
  const text = ['dist/ contains code of these packages besides our own.\n', ...licences].join(line);
  writeFileSync(path.join(outdir, 'licences.txt'), text);
}

if (process.argv[1] === import.meta.filename) await bundle();
