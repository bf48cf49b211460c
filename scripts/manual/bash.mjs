// Completions for bash.

const flagsOf = (options) => options.map(({ flag }) => flag).join(' ');

/** Options that take a value, by what it is completed with: `words`, or undefined for files. */
function valueCases(options) {
  const lines = new Map();
  for (const { flag, isFlag, isFile, choices } of options) {
    if (isFlag) continue;
    const action = choices ? `_firebreak_words '${choices.join(' ')}'` : isFile ? '_firebreak_files' : ':';
    lines.set(action, new Set([...(lines.get(action) ?? []), flag]));
  }
  return [...lines].map(([action, flags]) => `    ${[...flags].join(' | ')}) ${action} && return ;;`);
}

const commandCase = ({ name, options }) => `    ${name}) _firebreak_words "${flagsOf(options)} $every" ;;`;

export function renderBash({ commands, globals }) {
  const names = commands.map(({ name }) => name);
  const takeFiles = commands.filter(({ positions }) => positions.some(({ isFile }) => isFile)).map(({ name }) => name);
  const options = [...globals, ...commands.flatMap((command) => command.options)];
  return `# Completions of firebreak for bash. Made by scripts/manual.mjs from the program's own table of options.

_firebreak_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_firebreak_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

_firebreak() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local every='${flagsOf(globals)}' command='' word
  COMPREPLY=()
  # bash takes --option=value apart at the sign
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $previous in
${valueCases(options).join('\n')}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${names.join(' | ')})
        command=$word
        break
        ;;
    esac
  done
  if [[ $current != -* ]]; then
    case $command in
      '') _firebreak_words '${names.join(' ')}' ;;
      ${takeFiles.join(' | ')}) _firebreak_files ;;
    esac
    return
  fi
  case $command in
    '') _firebreak_words "$every" ;;
${commands.map(commandCase).join('\n')}
  esac
}

complete -F _firebreak firebreak
`;
}
