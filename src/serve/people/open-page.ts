import type { App } from '../../runtime/app.js';
import { HttpError, toHttpError } from '../http-error.js';
import { renderPage, type Viewer } from '../page/html.js';
import type { Call, Reply, Route, Server } from '../route.js';

const maxFormBytes = 65_536;

/** A page that needs no login; its form must come from this server. */
export interface OpenPage {
  method: 'GET' | 'POST';
  path: string;
  handle: (call: Call, form: URLSearchParams, server: Server) => Promise<Reply>;
}

/** Reads and checks the form, and answers errors as a page. */
export const toOpenRoute = ({ method, path, handle }: OpenPage): Route => ({
  ...{ method, path, summary: 'a page', scope: null },
  handle: async (call, server) => {
    try {
      const form = method === 'POST' ? await readForm(call, server) : new URLSearchParams();
      return await handle(call, form, server);
    } catch (error) {
      return explainAsPage(error, server.app);
    }
  },
});

/** An error of the caller as a page. @throws any other error */
export async function explainAsPage(error: unknown, app: Pick<App, 'ledger'>, visitor?: Viewer): Promise<Reply> {
  const known = toHttpError(error);
  if (known === undefined) throw error;
  const title = titles[known.status] ?? 'This did not work';
  const problems = known.problems.map(({ path, message }) => `${path}: ${message}`);
  const message = [known.message, ...problems].join('; ');
  const reply = await renderPage('error', {
    context: { title, message },
    frame: { title, status: known.status, ...(visitor && { visitor }) },
    app,
  });
  const { retryAfter } = known;
  return retryAfter === undefined
    ? reply
    : { ...reply, headers: { ...reply.headers, 'Retry-After': String(retryAfter) } };
}

const titles: Readonly<Record<number, string>> = {
  401: 'You are not logged in',
  403: 'Not permitted',
  404: 'Not found',
  429: 'Too many attempts',
};

/** @throws HttpError 403, 413, 415 */
export async function readForm({ headers, readBody }: Call, { app }: Server): Promise<URLSearchParams> {
  assertOwnOrigin(headers, app.config.serve.page.url);
  const [type = ''] = (headers.get('content-type') ?? 'application/x-www-form-urlencoded').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new HttpError(415, 'unsupported_type', 'expected a form');
  const body = await readBody();
  if (body.length > maxFormBytes)
    throw new HttpError(413, 'too_large', `expected a form of at most ${maxFormBytes} bytes`);
  return new URLSearchParams(body.toString('utf8'));
}

/**
 * Refuses a form of another site. Browsers send the origin `null` from our own pages as well, because these have the
 * policy `no-referrer`: then Sec-Fetch-Site must say that the page was ours.
 * @throws HttpError 403
 */
function assertOwnOrigin(headers: Headers, url: string | undefined): void {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const own = [headers.get('host'), url === undefined ? null : new URL(url).host];
  const isOwnSite = site === null ? origin !== 'null' : ['same-origin', 'none'].includes(site);
  const isOwnOrigin = origin === null || origin === 'null' || own.includes(hostOf(origin));
  if (isOwnSite && isOwnOrigin) return;
  throw new HttpError(403, 'forbidden', 'this form was sent by another site');
}

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : 'none');
