// Bundles the compiled program into one file in dist/: a launcher runs for a fraction of a second, and finding some 400
// modules would take most of it. What one command alone needs is evaluated when that command is called. Beside it lie
// cli.js, which is called and loads it, and compile.js, which stores its compiled code.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

const settings = {
  outdir,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  external,
  metafile: true,
  absWorkingDir: root,
  // yargs measures its help with it; the original creates an Intl.Segmenter at every start, which takes 20 ms.
  alias: { 'string-width': 'fast-string-width' },
  supported: { 'dynamic-import': false },
  // A smaller text is read faster; names stay, for the stack of an unexpected error. The licences are in a file of their own.
  minifyWhitespace: true,
  lineLimit: 200,
  legalComments: 'none',
  logLevel: 'warning',
};

/** What CommonJS has in place of `import.meta`. */
const define = { 'import.meta.dirname': '__dirname', 'import.meta.url': 'moduleUrl' };

/** The program as one function: cli.js reads it as text, and passes what a CommonJS module is given. */
const wrapper = {
  banner: {
    js: "(function (exports, require, module, __filename, __dirname) { const moduleUrl = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
};

/** What browsers get, by the name that the page's templates have for it. */
const assets = {
  'page.css': 'src/serve/page/assets/page.css',
  'page.js': 'src/serve/page/assets/page.js',
  'icon.svg': 'src/serve/page/assets/icon.svg',
  'htmx.js': 'node_modules/htmx.org/dist/htmx.min.js',
  'sse.js': 'node_modules/htmx-ext-sse/dist/sse.min.js',
};

/** Each under a name that contains its hash, so that browsers need never ask for it again. */
function copyAssets() {
  const folder = path.join(outdir, 'assets');
  mkdirSync(folder, { recursive: true });
  for (const [name, source] of Object.entries(assets)) {
    const content = readFileSync(path.join(root, source));
    const { name: stem, ext } = path.parse(name);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
    writeFileSync(path.join(folder, `${stem}-${hash}${ext}`), content);
  }
}

async function bundle() {
  rmSync(outdir, { recursive: true, force: true });
  const program = await build({
    ...settings,
    entryPoints: { program: path.join(root, 'build/src/cli/run-command.js') },
    entryNames: '[name]-[hash]',
    define,
    ...wrapper,
  });
  const [name] = Object.keys(program.metafile.outputs).map((file) => path.basename(file));
  await build({
    ...settings,
    entryPoints: { cli: path.join(root, 'build/src/main.js'), compile: path.join(root, 'build/src/compile.js') },
    define: { ...define, bundleName: JSON.stringify(name) },
  });
  writeFileSync(path.join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
  copyAssets();
  const licences = renderLicences([...Object.keys(program.metafile.inputs), ...Object.values(assets)]);
  const line = `\n${'-'.repeat(80)}\n`;
  const text = ['dist/ contains code of these packages besides our own.\n', ...licences].join(line);
  writeFileSync(path.join(outdir, 'licences.txt'), text);
  execFileSync(process.execPath, [path.join(outdir, 'compile.js')], { stdio: ['ignore', 'ignore', 'inherit'] });
}

if (process.argv[1] === import.meta.filename) await bundle();
