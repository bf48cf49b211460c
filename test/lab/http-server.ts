import { waitUntil, type Answer, type AnswerBlock, type Call, type Launcher } from './launcher.js';

/** `firebreak serve` under way. */
export interface Serving extends Call {
  readonly url: string;
  /** Sends a JSON document, and gives the answer. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answered>;
  get(path: string, headers?: Record<string, string>): Promise<Answered>;
  send(method: string, path: string, options?: RequestInit): Promise<Answered>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: HttpDocument;
}

/** What the server answers: each kind of document has some of these fields. Text is an empty document. */
export interface HttpDocument {
  readonly alarms: readonly (Answer & { readonly alarm: string })[];
  readonly blocks: readonly AnswerBlock[];
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems: readonly { readonly path: string; readonly message: string }[];
  };
  readonly [name: string]: unknown;
}

/** The secret of a new token. */
export async function makeToken(launcher: Launcher, ...args: string[]): Promise<string> {
  const { exit, stdout, stderr } = await launcher.firebreak(['token', 'add', ...args]);
  if (exit !== 0) throw new Error(stderr);
  return stdout.trimEnd();
}

/** Starts the server on a free port. @param token is sent with every request unless it has its own header */
export async function startServing(
  launcher: Launcher,
  token: string,
  env: Record<string, string> = {},
): Promise<Serving> {
  const call = launcher.start(['serve', '--listen', '127.0.0.1:0'], { env });
  let printed = '';
  call.child.stdout?.on('data', (text: string) => (printed += text));
  await waitUntil('the address of the server', () => call.child.exitCode !== null || /listening on \S+;/.test(printed));
  if (call.child.exitCode !== null) throw new Error((await call.ended).stderr);
  const [, url = ''] = /listening on (\S+);/.exec(printed) ?? [];
  const send: Serving['send'] = async (method, path, options = {}) => {
    const headers = new Headers(options.headers);
    if (!headers.has('authorization') && token !== '') headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(`${url}${path}`, { method, redirect: 'manual', ...options, headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: (isJson ? JSON.parse(text) : {}) as HttpDocument,
    };
  };
  return {
    ...call,
    url,
    send,
    post: (path, body, headers = {}) =>
      send('POST', path, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    get: (path, headers = {}) => send('GET', path, { headers }),
  };
}

/** Ends it as systemd does. */
export async function stopServing({ child, ended }: Serving): Promise<{ exit: number | null; stderr: string }> {
  child.kill('SIGTERM');
  return ended;
}
