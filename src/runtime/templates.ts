import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../config/package-root.js';

export interface TemplateOptions {
  /** Escape values for HTML; otherwise they are written unchanged. */
  isHtml?: boolean;
  helpers?: TemplateHelpers;
  partials?: ReadonlyMap<string, string>;
}

export type TemplateHelpers = Readonly<Record<string, (...values: unknown[]) => unknown>>;

export type Template = (context: object) => string;

/** Compiles a template. A name that is not in its context is an error. */
export function compileTemplate(
  source: string | hbs.AST.Program,
  { isHtml = false, helpers = {}, partials = new Map() }: TemplateOptions = {},
): Template {
  const engine = Handlebars.create();
  for (const [name, helper] of Object.entries(helpers)) engine.registerHelper(name, helper);
  for (const [name, partial] of partials) engine.registerPartial(name, partial);
  return engine.compile<object>(source, { noEscape: !isHtml, strict: true });
}

/** Compiles a template of the package: `systemd/firebreak.service` is `templates/systemd/firebreak.service.hbs`. */
export const compilePackageTemplate = (name: string, options?: TemplateOptions): Template =>
  compileTemplate(readFileSync(packageTemplate(name), 'utf8'), options);

export const packageTemplate = (name: string): string => join(findPackageRoot(), 'templates', `${name}.hbs`);

/** @throws Error with the position at which the template does not parse */
export const checkTemplate = (source: string): void => void Handlebars.precompile(source);

/** The syntax tree of a template, and its visitor. */
export const parseTemplate = (source: string): hbs.AST.Program => Handlebars.parse(source);
export const { Visitor: TemplateVisitor } = Handlebars;
