// docs/commands.md
import { showOption } from './table.mjs';

const cell = (text) => text.replaceAll('|', '\\|');

const row = (term, text) => `| \`${term}\` | ${cell(text)} |`;

const optionRow = (option) =>
  row(
    showOption(option),
    option.default === undefined ? option.describe : `${option.describe} (\`${option.default}\`)`,
  );

const table = (rows) => (rows.length === 0 ? [] : ['', '| word | meaning |', '|---|---|', ...rows]);

const section = ({ name, usage, describe, positions, options }) => [
  '',
  `## ${name}`,
  '',
  `\`firebreak ${usage}\`: ${describe}.`,
  ...table([...positions.map((position) => row(position.name, position.describe)), ...options.map(optionRow)]),
];

export function renderCommands({ commands, globals }) {
  const lines = [
    '# Commands',
    '',
    'Every command with all its arguments and options, as in `man firebreak` and `firebreak COMMAND --help`. Generated from',
    "the program's own table by `npm run manual`. For the exit codes, see [operations.md](operations.md).",
    '',
    'Every command also has these options:',
    ...table(globals.map(optionRow)),
    ...commands.flatMap(section),
  ];
  return `${lines.join('\n')}\n`;
}
