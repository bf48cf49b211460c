import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPackageRoot } from '../../config/package-root.js';
import { describeError } from '../../core/describe.js';
import { toPrintable } from '../../core/printable.js';
import { checkTemplate, compileTemplate, type TemplateHelpers } from '../../runtime/templates.js';
import { count } from '../../views/count.js';

/** A mail as the outbox stores it: both parts have the same content. */
export interface Mail {
  subject: string;
  text: string;
  html: string;
  /** Why the operator's templates were not used, if they were not. */
  problem?: string;
}

/** What every mail contains. */
export interface MailFacts {
  /** Where Firebreak runs. */
  host: string;
  subject: string;
  /** What happened, briefly. */
  headline: string;
  /** The same in a sentence or two; mail programs show it next to the subject. */
  lead: string;
  tone: 'bad' | 'warn' | 'good' | 'plain';
  /** What the reader can do, each with its command. */
  actions: { what: string; command: string }[];
}

type Format = 'txt' | 'html';
type Templates = ReadonlyMap<string, string>;

/** The colour of the bar at the top of a mail; its text says the same. */
const colors = { bad: '#b42318', warn: '#8f5300', good: '#1a6b3c', plain: '#28536b' } as const;

/**
 * Renders both parts of a mail. A template must not lose a mail: if one of the operator's is broken or renders nothing,
 * the built-in ones render the whole mail, with a note.
 * @param name the template's: `failure` is `failure.txt.hbs` and `failure.html.hbs`
 * @param templatesDir the operator's templates: one in its folder `mail` replaces the built-in one of the same name
 */
export function renderMail(name: string, facts: MailFacts, templatesDir?: string): Mail {
  const { subject } = facts;
  const context = { ...facts, color: colors[facts.tone] };
  const overridesDir = templatesDir === undefined ? undefined : join(templatesDir, 'mail');
  try {
    return { subject, ...renderParts(name, { ...context, problem: '' }, overridesDir) };
  } catch (error) {
    if (overridesDir === undefined) throw error;
    const problem = `templates in ${overridesDir} were not used: ${toLine(describeError(error))}`;
    return { subject, ...renderParts(name, { ...context, problem }), problem };
  }
}

function renderParts(name: string, facts: object, overridesDir?: string): Pick<Mail, 'text' | 'html'> {
  return {
    text: renderPart({ name, format: 'txt' }, facts, overridesDir),
    html: renderPart({ name, format: 'html' }, facts, overridesDir),
  };
}

/** A template can include another one of its format by name: `{{> block}}`. */
function renderPart({ name, format }: { name: string; format: Format }, facts: object, overridesDir?: string): string {
  const builtIn = readTemplates(join(findPackageRoot(), 'templates', 'mail'), format);
  const partials = new Map([...builtIn, ...(overridesDir === undefined ? [] : readOverrides(overridesDir, format))]);
  const written = compileTemplate(partials.get(name) ?? '', { isHtml: format === 'html', helpers, partials })(facts);
  if (written.trim() === '') throw new Error(`${name}.${format}.hbs renders nothing`);
  return toPrintable(written.replaceAll('\r\n', '\n'));
}

const helpers: TemplateHelpers = {
  wrap,
  count: (amount, noun) => count(Number(amount), String(noun)),
  pad: (text, width) => String(text).padEnd(Number(width)),
};

/** `{{wrap text "    "}}`: lines that fit a text client, all but the first indented. */
function wrap(text: unknown, indent: unknown): string {
  const begin = String(indent);
  const lines: string[] = [];
  for (const word of String(text).split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && begin.length + line.length + 1 + word.length <= 78)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${begin}`);
}

function readTemplates(folder: string, format: Format): Templates {
  const ending = `.${format}.hbs`;
  const names = readdirSync(folder).filter((file) => file.endsWith(ending));
  return new Map(names.map((file) => [file.slice(0, -ending.length), readFileSync(join(folder, file), 'utf8')]));
}

/** The operator's templates, each checked separately, so that an error names the file. */
function readOverrides(folder: string, format: Format): Templates {
  let templates: Templates;
  try {
    templates = readTemplates(folder, format);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map(); // no built-in template is replaced
    throw error;
  }
  for (const [name, source] of templates) {
    try {
      checkTemplate(source);
    } catch (error) {
      throw new Error(`${name}.${format}.hbs: ${describeError(error)}`, { cause: error });
    }
  }
  return templates;
}

/** Joins the lines in which Handlebars points at an error. */
const toLine = (text: string): string => toPrintable(text).replace(/\s+/g, ' ').slice(0, 300);
