// Collects every text that a user can see into one file: help, errors, answers, mails, webhook, syslog, scripts,
// playbooks. They are extracted from the sources; {} is a value that is filled in at run time.
//
//   node scripts/texts.mjs    writes test/golden/texts.txt
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');
export const golden = 'test/golden/texts.txt';

export function filesIn(folder, ...extensions) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => extensions.some((extension) => name.endsWith(extension)) && !name.includes('__pycache__'))
    .sort();
}

export const readSource = (file) => readFileSync(path.join(root, file), 'utf8');

/** Two words or more: a single word is a key, a name or a value. */
const isProse = (text) =>
  /[A-Za-z]{2,}[^A-Za-z\n]* [^A-Za-z]*[A-Za-z]{2,}|[A-Za-z]{2,} \{\}|\{\} [A-Za-z]{2,}/.test(text);

function textsOfTypeScript(file) {
  const found = [];
  const add = (text) => isProse(text) && found.push(text);
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) add(node.text);
    else if (ts.isTemplateExpression(node))
      add([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('{}'));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readSource(file), ts.ScriptTarget.Latest, true));
  return found;
}

/** SQL is a language of its own. */
const isSql = (text) =>
  /^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN|WITH|DROP|WHERE|AND|ORDER|FROM|JOIN|RETURNING|ON CONFLICT|SET)\b/.test(
    text,
  );

const textsOfTemplate = (file) =>
  readSource(file)
    .replace(/\{\{!--.*?--\}\}|<!--.*?-->|<style.*?<\/style>/gs, '')
    .replace(/\{\{[{#/^>]*.*?\}\}+/g, '{}')
    .replace(/<[^>]*>/g, '\n')
    .split('\n');

const textsOfYaml = (file) =>
  readSource(file)
    .split('\n')
    .flatMap(
      (line) =>
        /^\s*(?:- )?(?:name|msg|fail_msg|short_description|description): *["']?(.+?)["']?$/.exec(line)?.[1] ?? [],
    );

const textsOfPython = (file) => {
  const code = readSource(file)
    .replace(/^\s*#.*$/gm, '')
    .replace(/"""[\s\S]*?"""/g, '');
  return [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text]) => text);
};

const readers = [
  [filesIn('src', '.ts'), textsOfTypeScript],
  [filesIn('templates', '.hbs'), textsOfTemplate],
  [filesIn('playbooks', '.yml'), textsOfYaml],
  [filesIn('playbooks', '.py'), textsOfPython],
];

/** The texts of each file, in order and without repetitions. */
export function readTexts() {
  return readers
    .flatMap(([files, read]) =>
      files.map((file) => {
        const texts = read(file).map((text) => text.replace(/\s+/g, ' ').trim());
        return { file, texts: [...new Set(texts)].filter((text) => isProse(text) && !isSql(text)) };
      }),
    )
    .filter(({ texts }) => texts.length > 0);
}

export const renderTexts = () =>
  readTexts()
    .map(({ file, texts }) => [file, ...texts.map((text) => `  ${text}`)].join('\n'))
    .join('\n\n') + '\n';

if (process.argv[1] === import.meta.filename) writeFileSync(path.join(root, golden), renderTexts());
