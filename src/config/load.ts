import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { describeError, describeUnreadable } from '../core/describe.js';
import { describeProblem, FirebreakError, quoteBack, type ErrorCode, type Problem } from '../core/errors.js';
import { explainNoAccess } from './locate.js';
import { readNamedFiles } from './named-files.js';
import { configSchema, type Config } from './schema.js';
import { findFileProblems, findInlineSecrets } from './secrets.js';
import { explainDistrust } from './trusted.js';

/**
 * Reads and checks the whole configuration; paths in it are relative to its folder.
 * @throws FirebreakError config_exposed if others could have written it; config_unreadable, or config_invalid with every problem and its place
 */
export function loadConfig(file: string): Config {
  assertTrusted(file);
  const { text, mode } = readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const label = basename(file);
  const [first] = document.errors; // the others often follow from it
  if (first !== undefined) {
    throw new FirebreakError('config_invalid', `${label}: ${first.message.split('\n')[0]?.replace(/:$/, '')}`);
  }
  const where = (path: string): string | undefined => placeOf(document, lines, path);
  const parsed = configSchema.safeParse(toPlain(document, label));
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, document));
    throw invalid('config_invalid', problems, { label, where });
  }
  const { config, files, problems: listProblems } = readNamedFiles(parsed.data, dirname(file));
  const secrets = findInlineSecrets(config, mode);
  if (secrets.length > 0) throw invalid('config_exposed', secrets, { label, where });
  const problems = [...findFileProblems(config.state_dir, files), ...listProblems];
  if (problems.length > 0) throw invalid('config_invalid', problems, { label, where });
  return config;
}

/** A user who can write the configuration can choose the programs that we run. */
function assertTrusted(file: string): void {
  if (!existsSync(file)) return; // reading it reports this
  const why = explainDistrust(resolve(file));
  if (why !== undefined) throw new FirebreakError('config_exposed', `${basename(file)} was not loaded: ${why}`);
}

/** @throws FirebreakError config_invalid for an alias without an anchor, or one that expands without limit */
function toPlain(document: Document, label: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new FirebreakError(
      'config_invalid',
      `${label}: ${describeError(error)}; write the value out instead of using an alias`,
      {
        cause: error,
      },
    );
  }
}

function readText(file: string): { text: string; mode: number } {
  try {
    return { text: readFileSync(file, 'utf8'), mode: statSync(file).mode };
  } catch (error) {
    const isDenied = error instanceof Error && 'code' in error && error.code === 'EACCES';
    const message = isDenied ? explainNoAccess(file) : describeUnreadable(file, error);
    throw new FirebreakError('config_unreadable', message, { cause: error });
  }
}

function invalid(
  code: ErrorCode,
  problems: readonly Problem[],
  { label, where }: { label: string; where: (path: string) => string | undefined },
): FirebreakError {
  const lines = problems.map((problem) => {
    const place = where(problem.path);
    return `${label}: ${place === undefined ? '' : `${place}: `}${describeProblem(problem)}`;
  });
  return new FirebreakError(code, lines.join('\n'));
}

/** The fields of a schema issue that a message needs. One issue can name several unknown keys. */
interface Issue {
  code?: string | undefined;
  path: PropertyKey[];
  message: string;
  keys?: string[];
  expected?: unknown;
  values?: unknown[];
}

function problemsOf(issue: Issue, document: Document): Problem[] {
  const at = (...more: string[]): string => [...issue.path.map(String), ...more].join('.');
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => ({ path: at(key), message: 'unknown key' }));
  }
  const value: unknown = document.getIn(issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)));
  const got = value === undefined ? 'but it is missing' : `got ${quoteBack(value)}`;
  return [{ path: at(), message: `${expectationOf(issue)}, ${got}` }];
}

const plainTypes: Record<string, string> = {
  record: 'a mapping',
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
};

function expectationOf(issue: Issue): string {
  if (issue.code === 'invalid_value' && issue.values !== undefined) {
    return `expected ${issue.values.map(String).join(' or ')}`;
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `expected ${plainTypes[String(issue.expected)] ?? String(issue.expected)}`;
  }
  return issue.message.replace(/, got ".*"$/, '');
}

function placeOf(document: Document, lines: LineCounter, path: string): string | undefined {
  for (let parts = path.split('.'); parts.length > 0; parts = parts.slice(0, -1)) {
    const node = document.getIn(parts, true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      const { line, col } = lines.linePos(Number(node.range[0]));
      return `line ${line}, column ${col}`;
    }
  }
  return undefined;
}
