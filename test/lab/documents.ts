import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from './package-root.js';

export interface CodeBlock {
  /** The document and line it begins at. */
  readonly where: string;
  readonly language: string;
  readonly text: string;
}

/** README.md and what lies in docs/, by path. */
export function listDocuments(): string[] {
  const docs = readdirSync(path.join(packageRoot, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)];
}

export const readDocument = (file: string): string => readFileSync(path.join(packageRoot, file), 'utf8');

export function findCodeBlocks(file: string): CodeBlock[] {
  const text = readDocument(file);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    where: `${file}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
}

export interface ShownCommand {
  readonly where: string;
  readonly words: readonly string[];
}

/** Each `firebreak COMMAND …` that a document shows in a code block, as the words a shell would make of it. */
export function findCommands(file: string): ShownCommand[] {
  return findCodeBlocks(file)
    .filter(({ language }) => language === 'sh' || language === 'text')
    .flatMap(({ where, text }) =>
      text
        .replace(/ \\\n\s*/g, ' ')
        .split('\n')
        .flatMap((line) => /(?:^|[ "'])firebreak ([a-z].*)/.exec(line)?.[1] ?? [])
        .map((rest) => ({ where, words: toWords(rest) })),
    );
}

/** The alarm's words stand where a script has its own arguments. */
const givenWords = ['203.0.113.7', '192.168.1.10', '22'];

function toWords(rest: string): string[] {
  const command = rest.replace(/ +(#|2>|\||>|').*/, '');
  const words = command
    .replace(/"\$(\d)"/g, (_, digit: string) => givenWords[Number(digit) - 1] ?? '')
    .match(/"[^"]*"|[^ ]+/g)
    ?.map((word) => word.replace(/^"(.*)"$/, '$1'));
  return words ?? [];
}
