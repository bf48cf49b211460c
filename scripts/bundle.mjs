// Puts the compiled program into dist/ as few files: a launcher lives for a fraction of a second, and finding some 400
// modules would be most of it. What a command alone needs stays in a file of its own, loaded when it is called.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const outdir = path.join(root, 'dist');

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: [path.join(root, 'build/src/cli.js')],
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: 'parts/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['@photostructure/sqlite'], // it finds its compiled half by its own place
  // yargs measures its help with it; the original makes an Intl.Segmenter at every start, which takes 20 ms.
  alias: { 'string-width': 'fast-string-width' },
  // Packages written for CommonJS ask for Node's own modules by it.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
