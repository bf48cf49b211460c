import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { ok, warn, type Check } from '../core/check.js';

const limitMs = 3000;

/** Checks that `firebreak serve` answers, where sources are configured; else nothing requires it to run. */
export async function checkServe({ serve }: Pick<Config, 'serve'>): Promise<Check[]> {
  if (Object.keys(serve.sources).length === 0 && serve.tls === undefined) return [];
  const name = 'HTTP';
  try {
    const status = await askHealth(serve);
    if (status === 200) return [ok(name, `firebreak serve answers on ${serve.listen}`)];
    return [warn(name, `${serve.listen} answers with ${status}, not with 200: is it another program?`, howToFix)];
  } catch (error) {
    return [warn(name, `firebreak serve does not answer on ${serve.listen}: ${describeError(error)}`, howToFix)];
  }
}

const howToFix = 'run firebreak serve, or enable its unit; see docs/serve.md';

/** This host's own certificate is not verified: it names the server as others see it. */
function askHealth({ listen, tls }: Config['serve']): Promise<number> {
  const [, host = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(listen) ?? [];
  const options = { host: host === '0.0.0.0' ? '127.0.0.1' : host, port, path: '/healthz', timeout: limitMs };
  return new Promise((resolve, reject) => {
    const request = tls === undefined ? httpRequest(options) : httpsRequest({ ...options, rejectUnauthorized: false });
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${limitMs / 1000} s`)));
    request.once('error', reject);
    request.end();
  });
}
