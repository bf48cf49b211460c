import { describeFreeze } from '../../app/freeze.js';
import type { App } from '../../runtime/app.js';
import { compilePackageTemplate, type Template } from '../../runtime/templates.js';
import type { Reply } from '../route.js';
import { assetPath } from './assets.js';
import { navigation } from './navigation.js';

const securityHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** A document, with the headers that all documents of the page have. */
export const html = (status: number, text: string, headers: Record<string, string> = {}): Reply => ({
  status,
  body: text,
  headers: { ...securityHeaders, ...headers },
});

/** After a form: the browser gets this page, so that a reload does not send the form again. */
export const seeOther = (location: string, headers: Record<string, string> = {}): Reply =>
  html(303, '', { Location: location, ...headers });

/** What the layout shows of the visitor. */
export interface Viewer {
  name: string;
  role: string;
  csrf: string;
}

/** The result of an action, above the page. */
export interface Flash {
  tone: 'good' | 'bad' | 'calm';
  text: string;
}

export interface Frame {
  title: string;
  /** The path of the current entry of the menu. */
  nav?: string;
  /** Undefined before a login. */
  visitor?: Viewer;
  status?: number;
  flash?: Flash | undefined;
}

const compiled = new Map<string, Template>();

/** A template of the folder page, with all values escaped. A name that is not in its context is an error. */
export function renderTemplate(name: string, context: object): string {
  let template = compiled.get(name);
  if (template === undefined) {
    const helpers = { asset: (file: unknown) => assetPath(String(file)) };
    template = compilePackageTemplate(`page/${name}.html`, { isHtml: true, helpers });
    compiled.set(name, template);
  }
  return template(context);
}

/** One page: its template `templates/page/NAME.html.hbs` inside the layout. The context also has the visitor's `csrf`. */
export async function renderPage(
  name: string,
  { context, frame, app }: { context: object; frame: Frame; app: Pick<App, 'ledger'> },
): Promise<Reply> {
  const { title, nav, visitor, status = 200, flash } = frame;
  const freeze = visitor === undefined ? undefined : await app.ledger.findFreeze();
  const frozen = freeze === undefined ? null : describeFreeze(freeze);
  const body = renderTemplate(name, { csrf: visitor?.csrf ?? '', ...context });
  const layout = {
    title,
    nav: navigation.map((entry) => ({ ...entry, isCurrent: entry.path === nav })),
    visitor: visitor === undefined ? null : { ...visitor, isAdmin: visitor.role === 'admin' },
    frozen: frozen === null ? null : `${frozen.charAt(0).toUpperCase()}${frozen.slice(1)}`,
    flash: flash ?? null,
    body,
  };
  return html(status, renderTemplate('layout', layout));
}
