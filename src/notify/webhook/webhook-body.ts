import { readFileSync } from 'node:fs';
import { describeError } from '../../core/describe.js';
import {
  compileTemplate,
  packageTemplate,
  parseTemplate,
  TemplateVisitor,
  type Template,
} from '../../runtime/templates.js';

/** A template that cannot be read, or does not render JSON; the message says why. */
export class TemplateRefused extends Error {
  override readonly name = 'TemplateRefused';
}

/**
 * The body of a webhook: the operator's template, or the built-in one, filled in. Whatever an event contains stays within
 * one JSON string: a template can write values only with `{{json name}}`.
 * @throws TemplateRefused
 */
export function renderBody(file: string | undefined, event: object): string {
  const name = file ?? packageTemplate('webhook/event.json');
  try {
    const body = compile(readFileSync(name, 'utf8'))(event);
    return JSON.stringify(JSON.parse(body));
  } catch (error) {
    if (error instanceof TemplateRefused) throw new TemplateRefused(`${name}: ${error.message}`);
    const what = error instanceof SyntaxError ? 'the result is not valid JSON: ' : '';
    const [message] = describeError(error).split('\n');
    throw new TemplateRefused(`${name}: ${what}${message ?? ''}`, { cause: error });
  }
}

function compile(text: string): Template {
  // Handlebars would read a JSON brace that follows immediately as its own.
  const tree = parseTemplate(text.replace(/(?<!\{)(\{\{json [^{}]*\}\})(?=\})/g, '$1 '));
  new JsonOnly().accept(tree);
  return compileTemplate(tree, { helpers: { json: (...values) => toJson(values.slice(0, -1)) } });
}

/** Several values become one string. */
function toJson(values: readonly unknown[]): string {
  if (values.includes(undefined)) throw new TemplateRefused('{{json}} names a field that events do not have');
  const [first] = values;
  return JSON.stringify(values.length === 1 ? first : values.map(toText).join(''));
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Refuses a value that is not encoded: an attacker's quotation mark could add keys to the document. */
class JsonOnly extends TemplateVisitor {
  override MustacheStatement({ path, params, loc }: hbs.AST.MustacheStatement): void {
    const name = 'original' in path ? path.original : '';
    if (name === 'json' && params.length > 0) return;
    throw new TemplateRefused(`line ${loc.start.line}: write {{json ${name}}} instead of {{${name}}}`);
  }
}
