import { styleText } from 'node:util';
import type { Rule } from './demo-rules.js';

type Style = Parameters<typeof styleText>[0];

/** What is remarkable about a rule: it is new, it lets the attacker in, or it did so before. */
export type Mark = 'new' | 'open' | 'shut' | undefined;

const marks: Record<NonNullable<Mark>, { style: Style; before: string; after: string }> = {
  new: { style: ['bold', 'green'], before: '+', after: '' },
  open: { style: 'yellow', before: ' ', after: '  ◀ lets it in' },
  shut: { style: 'dim', before: ' ', after: '  ◀ out of its reach' },
};

/** Writes the demo's pages: 80 columns, colours on a terminal only and never with NO_COLOR. */
export interface Screen {
  title(text: string, aside: string): void;
  heading(number: number, name: string, aside: string): void;
  line(text?: string): void;
  note(text: string): void;
  /** What was typed or called; broken like a shell command. */
  command(text: string): void;
  /** What a program said, word for word, broken to fit; the words of `shine` stand out. */
  output(text: string, shine: string): void;
  rules(rules: readonly Rule[], mark: (rule: Rule) => Mark): void;
  /** A claim that was looked up, and its figure. */
  fact(isSo: boolean, figure: string, text: string): void;
  /** Shows a running clock until the promise settles; nothing where the output is no terminal. */
  wait<T>(promise: Promise<T>): Promise<T>;
}
const unmarked = { style: 'reset', before: ' ', after: '' } as const;

const width = 78;
const indent = '     ';

export function makeScreen(out: NodeJS.WriteStream = process.stdout, env: NodeJS.ProcessEnv = process.env): Screen {
  const isTerminal = out.isTTY && env['TERM'] !== 'dumb';
  const paint = (style: Style, text: string): string =>
    isTerminal && !env['NO_COLOR'] ? styleText(style, text, { validateStream: false }) : text;
  const line = (text = ''): void => void out.write(`${text}\n`);

  return {
    line,
    title: (text, aside) => {
      line(`\n   ${paint(['bold', 'red'], 'FIREBREAK')}  ${paint('bold', text)}`);
      line(`   ${paint('dim', aside)}`);
    },
    heading: (number, name, aside) =>
      line(`\n ${paint(['bold', 'cyan'], `${number} ${name}`)}  ${paint('dim', aside)}`),
    note: (text) => wrap(text, width - 3).forEach((each) => line(`   ${each}`)),
    command: (text) =>
      wrap(text, width - 7).forEach((each, index, all) => {
        const more = index < all.length - 1 ? ' \\' : '';
        line(`   ${paint('dim', index === 0 ? '$' : ' ')} ${paint('bold', each)}${more}`);
      }),
    output: (text, shine) =>
      text
        .split('\n')
        .flatMap((each) => wrap(each, width - indent.length))
        .forEach((each) => line(`${indent}${each.replaceAll(shine, paint(['bold', 'green'], shine))}`)),
    rules: (rules, mark) => {
      for (const rule of rules) {
        const found = mark(rule);
        const { style, before, after } = found === undefined ? unmarked : marks[found];
        line(`   ${paint(style, `${before} ${renderRule(rule)}${after}`)}`);
      }
    },
    fact: (isSo, figure, text) =>
      line(`   ${isSo ? paint('green', '✓') : paint('red', '✗')} ${paint('bold', figure.padEnd(9))} ${text}`),
    wait: async (promise) => {
      if (!isTerminal) return promise;
      const started = performance.now();
      const clock = setInterval(() => {
        out.write(`\r${indent}${paint('dim', `${((performance.now() - started) / 1000).toFixed(1)} s`)}`);
      }, 100);
      try {
        return await promise;
      } finally {
        clearInterval(clock);
        out.write('\r\x1b[K');
      }
    },
  };
}

function renderRule({ action, source, destination, port, protocol, description }: Rule): string {
  const target = `${destination} ${port || protocol}`.trim();
  return `${action.padEnd(6)} ${source.padEnd(11)} → ${target.padEnd(18)}  ${cut(description, 25)}`;
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** Breaks at spaces; a word that is longer than a line stands alone on one. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
