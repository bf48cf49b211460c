// Searches all texts for the user, documents and comments for ambiguous words, and suggests the term to use. Exit 1 if one
// is found; `terms: ignore` at the end of a line allows it.
import ts from 'typescript';
import { filesIn, readSource, readTexts } from './texts.mjs';

/** Words to avoid, and what to use instead. */
const terms = [
  [/\bis no (?!longer\b|more\b|such\b)[a-z]/, 'is not a'],
  [/\bexpected such as\b/, 'expected a NOUN such as'],
  [/\bcarr(?:y|ies|ied|ying)\b/, 'apply'],
  [/\bsees? to (?:it|what)\b/, 'apply, ensure'],
  [/\bmend(?:s|ed|ing)?\b/, 'fix'],
  [/\bfor ever\b/, 'forever'],
  [/\b[Ss]omebody\b/, 'name the subject: an operator, another process'],
  [/\b[Nn]obody\b/, 'name the subject, or use the passive'],
  [/\b(?:he|him|his)\b/, 'name the subject'],
  [/\bput back\b/, 'roll back'],
  [/\b(?:try|tries|tried) again\b/, 'retry'],
  [/\blook(?:s|ed)? (?:at|whether|again)\b/, 'check'],
  [/\bwords of\b/, 'request'],
  [/\b(?:is|was|are|were) (?:kept|carried|told)\b/, 'recorded, queued; applied; notified'],
  [/\btold of\b/, 'notified of'],
  [/\bstands? (?:there|in|on)\b/, 'is'],
  [/\bwhat stands\b/, 'current blocks'],
  [/\b(?:it|that|which|firewall|server) is away\b/, 'unreachable'],
  [/\b(?:its|the|his) time is over\b/, 'expired'],
  [/\bby (?:itself|himself)\b/, 'automatically'],
  [/\bthe differences? to\b/, 'difference from'],
];

const commentsOf = (file) => {
  const text = readSource(file);
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, text);
  const found = [];
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    const isComment = kind === ts.SyntaxKind.SingleLineCommentTrivia || kind === ts.SyntaxKind.MultiLineCommentTrivia;
    if (isComment) found.push(scanner.getTokenText());
  }
  return found;
};

const hashComments = (file) =>
  readSource(file)
    .split('\n')
    .filter((line) => /^\s*#/.test(line));

/** A document without its code blocks. */
const proseOf = (file) => [
  readSource(file)
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, ''),
];

const sources = [
  ...readTexts().map(({ file, texts }) => [file, texts]),
  ...filesIn('src', '.ts').map((file) => [file, commentsOf(file)]),
  ...filesIn('playbooks', '.yml', '.py').map((file) => [file, hashComments(file)]),
  ...['README.md', 'CHANGELOG.md', ...filesIn('docs', '.md')].map((file) => [file, proseOf(file)]),
];

const found = sources.flatMap(([file, texts]) =>
  texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => !line.includes('terms: ignore'))
    .flatMap((line) =>
      terms.flatMap(([term, better]) => {
        const [word] = term.exec(line) ?? [];
        return word === undefined ? [] : [`${file}: "${word}" (say: ${better}): ${line.trim().slice(0, 140)}`];
      }),
    ),
);
for (const line of found) console.log(line);
if (found.length > 0) console.log(`${found.length} found`);
process.exitCode = found.length > 0 ? 1 : 0;
