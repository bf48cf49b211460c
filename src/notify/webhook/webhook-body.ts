import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../../config/package-root.js';
import { describeError } from '../../core/describe.js';

/** A template that cannot be read, or does not give JSON. The message says what is wrong with it. */
export class TemplateRefused extends Error {
  override readonly name = 'TemplateRefused';
}

/**
 * What a webhook is sent: the operator's template, or ours, filled in. Whatever stands in an event, it stays the text
 * within one JSON string: a template writes values by `{{json name}}` and in no other way.
 * @throws TemplateRefused
 */
export function renderBody(file: string | undefined, event: object): string {
  const name = file ?? join(findPackageRoot(), 'templates', 'webhook', 'event.json.hbs');
  try {
    const body = compile(readFileSync(name, 'utf8'))(event);
    return JSON.stringify(JSON.parse(body));
  } catch (error) {
    if (error instanceof TemplateRefused) throw new TemplateRefused(`${name}: ${error.message}`);
    const what = error instanceof SyntaxError ? 'what comes of it is no JSON: ' : '';
    const [message] = describeError(error).split('\n');
    throw new TemplateRefused(`${name}: ${what}${message ?? ''}`, { cause: error });
  }
}

function compile(text: string): HandlebarsTemplateDelegate {
  const handlebars = Handlebars.create();
  handlebars.registerHelper('json', (...values: unknown[]) => toJson(values.slice(0, -1)));
  // A brace of JSON that follows at once would be read as one of Handlebars.
  const tree = handlebars.parse(text.replace(/(?<!\{)(\{\{json [^{}]*\}\})(?=\})/g, '$1 '));
  new JsonOnly().accept(tree);
  return handlebars.compile(tree, { noEscape: true, strict: true });
}

/** Several words become one string. */
function toJson(values: readonly unknown[]): string {
  if (values.includes(undefined)) throw new TemplateRefused('json was given something that an event does not have');
  const [first] = values;
  return JSON.stringify(values.length === 1 ? first : values.map(toWord).join(''));
}

const toWord = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Refuses what would write a value without encoding it: an attacker's quotation mark could add keys of its own. */
class JsonOnly extends Handlebars.Visitor {
  override MustacheStatement({ path, params, loc }: hbs.AST.MustacheStatement): void {
    const name = 'original' in path ? path.original : '';
    if (name === 'json' && params.length > 0) return;
    throw new TemplateRefused(`line ${loc.start.line}: write {{json ${name}}} instead of {{${name}}}`);
  }
}
