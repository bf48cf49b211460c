import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../../config/package-root.js';
import { describeError } from '../../core/describe.js';
import { toPrintable } from '../../core/printable.js';
import { count } from './mail-words.js';

/** A mail as it is kept: what a text client shows, and what the others do. */
export interface Mail {
  subject: string;
  text: string;
  html: string;
  /** Why the operator's templates were left aside, if they were. */
  problem?: string;
}

/** What every mail says, whatever it is about. */
export interface MailFacts {
  subject: string;
  /** What happened, in a few words. */
  headline: string;
  /** The same in a sentence or two; mail programs show it beside the subject. */
  lead: string;
  tone: 'bad' | 'warn' | 'good' | 'plain';
  /** What there is to do, and the command that does it. */
  actions: { what: string; command: string }[];
}

/** Where mails are written, and by whose templates. */
export interface MailSetting {
  host: string;
  /** The operator's `templates_dir`: a template of the same name in its folder `mail` takes the place of ours. */
  templatesDir?: string | undefined;
}

type Format = 'txt' | 'html';
type Templates = ReadonlyMap<string, string>;

/** How the bar above a mail is painted; its words say the same. */
const colors = { bad: '#b42318', warn: '#8f5300', good: '#1a6b3c', plain: '#28536b' } as const;

/**
 * Writes both parts of a mail. A mail must not be lost for a template: where one of the operator's is broken, or gives
 * nothing, the whole mail is written by ours, and says so.
 * @param name the template's: `failure` is `failure.txt.hbs` and `failure.html.hbs`
 */
export function renderMail(name: string, facts: MailFacts, { host, templatesDir }: MailSetting): Mail {
  const { subject } = facts;
  const all = { ...facts, host, color: colors[facts.tone] };
  const theirs = templatesDir === undefined ? undefined : join(templatesDir, 'mail');
  try {
    return { subject, ...renderParts(name, { ...all, problem: '' }, theirs) };
  } catch (error) {
    if (theirs === undefined) throw error;
    const problem = `templates in ${theirs} were not used: ${toLine(describeError(error))}`;
    return { subject, ...renderParts(name, { ...all, problem }), problem };
  }
}

function renderParts(name: string, facts: object, theirs?: string): Pick<Mail, 'text' | 'html'> {
  return { text: renderPart(name, 'txt', facts, theirs), html: renderPart(name, 'html', facts, theirs) };
}

/** Every template of the format can be used within another one by its name, as `{{> block}}`. */
function renderPart(name: string, format: Format, facts: object, theirs: string | undefined): string {
  const ours = readTemplates(join(findPackageRoot(), 'templates', 'mail'), format);
  const templates = new Map([...ours, ...(theirs === undefined ? [] : readOverrides(theirs, format))]);
  const engine = Handlebars.create();
  engine.registerHelper('wrap', wrap);
  engine.registerHelper('count', (many: unknown, thing: unknown) => count(Number(many), String(thing)));
  engine.registerHelper('pad', (text: unknown, width: unknown) => String(text).padEnd(Number(width)));
  for (const [partial, source] of templates) engine.registerPartial(partial, source);
  const written = engine.compile(templates.get(name), { noEscape: format === 'txt', strict: true })(facts);
  if (written.trim() === '') throw new Error(`${name}.${format}.hbs gives nothing`);
  return toPrintable(written.replaceAll('\r\n', '\n'));
}

/** `{{wrap text "    "}}`: lines that a text client shows whole; all but the first begin with the indent. */
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

/** The operator's, each looked at for itself: so the one that cannot be read is named. */
function readOverrides(folder: string, format: Format): Templates {
  let templates: Templates;
  try {
    templates = readTemplates(folder, format);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map(); // they have none of ours
    throw error;
  }
  for (const [name, source] of templates) {
    try {
      Handlebars.precompile(source);
    } catch (error) {
      throw new Error(`${name}.${format}.hbs: ${describeError(error)}`, { cause: error });
    }
  }
  return templates;
}

/** Handlebars draws a picture of where it stumbled: one line of it will do. */
const toLine = (text: string): string => toPrintable(text).replace(/\s+/g, ' ').slice(0, 300);
