// Draws the demo's real output as a terminal: docs/terminal.svg.
//
//   npm run --silent build && node scripts/recording.mjs           runs the demo
//   node scripts/recording.mjs FILE                                draws a saved output
//
// The picture has the acts 2 to 4 and the summary: what a reader can take in at once.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const [size, leading, columns] = [13, 19, 80];
const advance = 7.83; // of a monospaced letter at this size

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** How a line looks: as on a terminal with colours. */
function styleOf(line) {
  if (/^ \d /.test(line)) return 'heading';
  if (/^ {3}\$ /.test(line)) return 'command';
  if (/^ {3}✓/.test(line)) return 'good';
  if (/^ {3}\+/.test(line) || /in force and|^ +proven, /.test(line)) return 'new';
  return 'plain';
}

/** The parts of the output that fit one picture. Folders differ from run to run. */
export function selectLines(output) {
  const lines = output.replace(/\/[\w/-]*fbd-\w{6}/g, '/tmp/demo').split('\n');
  const at = (pattern) => lines.findIndex((line) => pattern.test(line));
  const [from, again, facts] = [at(/^ 2 /), at(/^ 5 /), at(/^ {3}✓/)];
  if (from < 0 || facts < 0) throw new Error('this is not the output of the demo');
  const acts = lines.slice(from, again < 0 ? facts : again);
  return [...acts, ...lines.slice(facts).filter((line) => line.startsWith('   ✓'))];
}

export function renderTerminal(lines) {
  const [width, height] = [Math.ceil(columns * advance) + 32, lines.length * leading + 58];
  const rows = lines.map((line, index) => {
    if (line === '') return '';
    const y = 52 + index * leading;
    return `<text class="${styleOf(line)}" x="16" y="${y}" xml:space="preserve">${escape(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t">
<title id="t">Output of npm run demo: an alarm becomes a proven rule in pf</title>
<style>
text { font: ${size}px ui-monospace, 'DejaVu Sans Mono', Consolas, Menlo, monospace; fill: #d5dbe1 }
.heading { fill: #7cc7ff; font-weight: 700 }
.command { fill: #ffffff; font-weight: 700 }
.new, .good { fill: #7ddb9b }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#12161b"/>
<circle cx="20" cy="18" r="5" fill="#e5534b"/><circle cx="38" cy="18" r="5" fill="#d9a13b"/><circle cx="56" cy="18" r="5" fill="#57ab5a"/>
${rows.filter(Boolean).join('\n')}
</svg>
`;
}

function readDemo() {
  const [, , file] = process.argv;
  if (file !== undefined) return readFileSync(file, 'utf8');
  return execFileSync(process.execPath, [path.join(root, 'build/test/lab/demo.js')], { encoding: 'utf8' });
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(path.join(root, 'docs/terminal.svg'), renderTerminal(selectLines(readDemo())));
