// firebreak(1), in the macros that every man understands. It has no date: the same sources give the same page.

const plain = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
const bold = (text) => `\\fB${plain(text)}\\fR`;
const italic = (text) => `\\fI${plain(text)}\\fR`;
const item = (term, text) => ['.TP', term, plain(text)];

const optionItem = ({ flag, placeholder, describe, default: value }) =>
  item(
    placeholder === undefined ? bold(flag) : `${bold(flag)} ${italic(placeholder)}`,
    value === undefined ? describe : `${describe} (by default ${value})`,
  );

/** `block [source] [words..]`: the first word in bold, what one fills in in italics. */
const showUsage = (usage) => {
  const [name, ...words] = usage.split(' ');
  const shown = words.map((word) =>
    word.replace(/[\w.]+/, (inner) => italic(inner.replace('..', '')) + (inner.endsWith('..') ? ' ...' : '')),
  );
  return [bold(`firebreak ${name}`), ...shown.map((word) => word.replace(/[<>]/g, ''))].join(' ');
};

const commandSection = ({ usage, describe, positions, options }) => [
  `.SS ${showUsage(usage)}`,
  plain(`${describe}.`),
  ...positions.flatMap(({ name, describe: text }) => item(italic(name), text)),
  ...options.flatMap(optionItem),
];

const examples = [
  ['block a source for a week', 'firebreak block 203.0.113.7 192.168.1.10 22 --for 7d'],
  ['ask what would come of it', 'firebreak block 203.0.113.7 192.168.1.10 22 --check'],
  ['release every block of a source', 'firebreak unblock 203.0.113.7'],
  ['look at what stands', 'firebreak list'],
  ['find out why nothing is blocked', 'firebreak doctor'],
];

const files = [
  ['/etc/firebreak/firebreak.yml', 'the configuration, where no other is named'],
  ['/var/lib/firebreak/ledger.db', 'the ledger: alarms, blocks, runs'],
  ['/var/lib/firebreak/audit.jsonl', 'every decision, as a chain of hashes'],
  ['/var/lib/firebreak/runs', 'what each run was given, did, and said'],
];

/** The page. `exits` are the rows of the table of exit codes: code, meaning, what to do. */
export function renderManPage({ commands, globals }, { version, exits }) {
  const lines = [
    '.\\" Made by scripts/manual.mjs from the program\'s own table of options.',
    `.TH FIREBREAK 1 "" "firebreak ${version}" "User Commands"`,
    '.SH NAME',
    'firebreak \\- turn a SIEM alarm into a proven firewall block',
    '.SH SYNOPSIS',
    `${bold('firebreak')} ${italic('COMMAND')} [${italic('word')} ...] [${italic('option')} ...]`,
    '.SH DESCRIPTION',
    plain(
      'Firebreak carries an alarm to a block rule on a firewall, through Ansible, and proves that the rule is in force. ' +
        'Each alarm is kept on disk before anything is tried; what fails is tried again. Results go to standard output, ' +
        'talk to standard error, and the exit status says how it ended.',
    ),
    '.SH OPTIONS OF EVERY COMMAND',
    ...globals.flatMap(optionItem),
    '.SH COMMANDS',
    ...commands.flatMap(commandSection),
    '.SH EXIT STATUS',
    ...exits.flatMap(([code, meaning]) => item(bold(code), meaning)),
    '.SH ENVIRONMENT',
    ...item(bold('FIREBREAK_CONFIG'), 'the configuration file, where --config does not name one'),
    ...item(bold('NO_COLOR'), 'no colours, whatever it says'),
    '.SH FILES',
    ...files.flatMap(([name, text]) => item(italic(name), text)),
    '.SH EXAMPLES',
    ...examples.flatMap(([text, line]) => item(`To ${plain(text)}:`, line)),
    '.SH SEE ALSO',
    '.BR ansible\\-playbook (1),',
    '.BR ssh (1)',
    '.PP',
    plain('docs/ in the package: configuration.md, operations.md, ossim.md, pfsense.md, security.md'),
  ];
  return `${lines.join('\n')}\n`;
}
