import { HttpError } from './http-error.js';

/** The largest body. */
export const maxBytes = 1024 * 1024;

/** No sender's document is deeper; without a bound, its depth would be that of our stack. */
const maxDepth = 64;

/** Reads a body within the limit. @throws HttpError 413 */
export async function readBody(request: Request): Promise<Buffer> {
  const tooLarge = new HttpError(413, 'too_large', `expected at most ${maxBytes} bytes`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxBytes) throw tooLarge;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Checks that the body is JSON, uncompressed, as its headers say. @throws HttpError 415 */
export function assertJsonType({ headers }: Request): void {
  const [type = ''] = (headers.get('content-type') ?? '').toLowerCase().split(';');
  if (!/^application\/(?:[\w.+-]+\+)?json$/.test(type.trim()))
    throw new HttpError(415, 'unsupported_type', 'expected the header Content-Type: application/json');
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    throw new HttpError(415, 'unsupported_encoding', 'expected a body without Content-Encoding');
}

/** @throws HttpError 400 */
export function parseJson(body: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (depthOf(text) <= maxDepth) return JSON.parse(text) as unknown;
  } catch {
    throw new HttpError(400, 'json_invalid', 'expected a JSON document in UTF-8');
  }
  throw new HttpError(400, 'json_invalid', `expected a JSON document of at most ${maxDepth} levels`);
}

/** The deepest nesting, counted before it is parsed. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (isString) {
      if (letter === '\\') at += 1;
      else if (letter === '"') isString = false;
    } else if (letter === '"') isString = true;
    else if (letter === '[' || letter === '{') deepest = Math.max(deepest, (depth += 1));
    else if (letter === ']' || letter === '}') depth -= 1;
  }
  return deepest;
}
