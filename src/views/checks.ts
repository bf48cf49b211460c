import { toPrintable } from '../core/printable.js';
import { count } from './count.js';
import { exitOf, observeCheck, type Check, type CheckState, type Section } from '../core/check.js';

const marks: Record<CheckState, readonly [string, number]> = {
  ok: ['✓', 32],
  wrong: ['✗', 31],
  note: ['!', 33],
  skipped: ['-', 90],
};

/** The checks as text: what was found, or what is wrong and how to fix it. All of it is printable. */
export function checksToText(sections: readonly Section[], colour: boolean): string {
  const paint = (text: string, code: number): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const all = sections.flatMap(({ checks }) => checks);
  const width = Math.max(...all.map(({ name }) => name.length));
  const line = ({ name, state, detail, fix }: Check): string => {
    const [mark, code] = marks[state];
    const indent = ' '.repeat(width + 6);
    return [
      `  ${paint(mark, code)} ${toPrintable(name.padEnd(width))}  ${toPrintable(detail)}`,
      ...(fix === null ? [] : fix.split('\n').map((text) => `${indent}-> ${toPrintable(text)}`)),
    ].join('\n');
  };
  const wrong = all.filter(({ state }) => state === 'wrong').length;
  const observing = sections.filter(({ checks }) => checks.some(({ name }) => name === observeCheck));
  const end =
    wrong === 0
      ? [
          paint('All checks passed.', 32),
          ...observing.map(({ title }) => `${title} observes only: nothing is blocked there.`),
        ].join('\n')
      : paint(
          `${count(wrong, 'problem')} found: fix ${wrong === 1 ? 'it' : 'the first one'} and run doctor again.`,
          31,
        );
  return [...sections.map(({ title, checks }) => [paint(title, 1), ...checks.map(line)].join('\n')), end].join('\n\n');
}

/** The checks as JSON. */
export const checksToJson = (sections: readonly Section[]): object => ({
  ok: exitOf(sections) === 0,
  exit: exitOf(sections),
  sections: sections.map(({ title, checks }) => ({
    title,
    checks: checks.map(({ name, state, detail, fix }) => ({ name, state, fact: detail, mend: fix })),
  })),
});
