// Completions for zsh.

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const inBrackets = (text) => text.replace(/[[\]\\]/g, '\\$&');
const inField = (text) => text.replace(/[:\\]/g, '\\$&');

// Where anything may stand, an empty list: a message alone would keep zsh from filling in the one option that fits.
const actionOf = ({ choices, isFile }) => (choices ? `(${choices.join(' ')})` : isFile ? '_files' : '()');

function optionSpec(option) {
  const { flag, describe, isFlag, isRepeatable, placeholder } = option;
  const name = isFlag ? flag : flag.startsWith('--') ? `${flag}=` : `${flag}+`;
  const value = isFlag ? '' : `:${placeholder.toLowerCase()}:${actionOf(option)}`;
  return quote(`${isRepeatable ? '*' : ''}${name}[${inBrackets(describe)}]${value}`);
}

function positionSpec(position, index) {
  const { describe, isRequired, isMany } = position;
  const at = isMany ? '*:' : isRequired ? `${index + 1}:` : `${index + 1}::`;
  return quote(`${at}${inField(describe)}:${actionOf(position)}`);
}

const commandCase = ({ name, positions, options }) => [
  `        ${name})`,
  `          _arguments $every \\`,
  [...options.map(optionSpec), ...positions.map(positionSpec)].map((spec) => `            ${spec}`).join(' \\\n'),
  '          ;;',
];

const withoutDangling = (lines) =>
  lines
    .filter((line) => line !== '')
    .join('\n')
    .replace(/ \\\n( +;;)/g, '\n$1');

export function renderZsh({ commands, globals }) {
  return withoutDangling([
    '#compdef firebreak',
    "# Completions of firebreak for zsh. Made by scripts/manual.mjs from the program's own table of options.",
    '_firebreak() {',
    '  local -a commands every',
    '  local curcontext=$curcontext state line',
    '  typeset -A opt_args',
    '  every=(',
    ...globals.map((option) => `    ${optionSpec(option)}`),
    '  )',
    '  commands=(',
    ...commands.map(({ name, describe }) => `    ${quote(`${name}:${inField(describe)}`)}`),
    '  )',
    "  _arguments -C $every '1: :->command' '*:: :->words'",
    '  case $state in',
    '    command)',
    "      _describe -t commands 'firebreak command' commands",
    '      ;;',
    '    words)',
    '      case $words[1] in',
    ...commands.flatMap(commandCase),
    '      esac',
    '      ;;',
    '  esac',
    '}',
    '_firebreak "$@"',
    '',
  ]).concat('\n');
}
