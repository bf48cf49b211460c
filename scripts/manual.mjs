// Generates the documents of the commands and options from the program's own table: the man page, completions for bash
// and zsh, docs/commands.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderBash } from './manual/bash.mjs';
import { renderManPage } from './manual/man.mjs';
import { renderCommands } from './manual/markdown.mjs';
import { readTable } from './manual/table.mjs';
import { renderZsh } from './manual/zsh.mjs';

const root = path.resolve(import.meta.dirname, '..');
const read = (file) => readFileSync(path.join(root, file), 'utf8');

/** The table of exit codes in docs/exit-codes.md. */
function readExits() {
  const [, section = ''] = read('docs/exit-codes.md').split('# Exit codes');
  return [...section.matchAll(/^\| (\d+) \| (.*?) \| .* \|$/gm)].map(([, code, meaning]) => [
    code,
    meaning.replaceAll('`', ''),
  ]);
}

/** All generated files, by path. */
export function renderAll() {
  const table = readTable();
  const { version } = JSON.parse(read('package.json'));
  return {
    'man/firebreak.1': renderManPage(table, { version, exits: readExits() }),
    'completions/firebreak.bash': renderBash(table),
    'completions/_firebreak': renderZsh(table),
    'docs/commands.md': renderCommands(table),
  };
}

export { readTable };

if (process.argv[1] === import.meta.filename) {
  for (const [file, text] of Object.entries(renderAll())) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}
