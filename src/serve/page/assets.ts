import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { findPackageRoot } from '../../config/package-root.js';
import { HttpError } from '../http-error.js';
import type { Route } from '../route.js';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Asset {
  text: string;
  type: string;
  tag: string;
}

let known: ReadonlyMap<string, Asset> | undefined;

/** The files of the page by their names, which contain a hash of what is in them. They are read once. */
function readAssets(): ReadonlyMap<string, Asset> {
  const folder = join(findPackageRoot(), 'dist', 'assets');
  return (known ??= new Map(
    readdirSync(folder).map((name): [string, Asset] => {
      const text = readFileSync(join(folder, name), 'utf8');
      const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
      return [name, { text, tag, type: types[extname(name)] ?? 'text/plain; charset=utf-8' }];
    }),
  ));
}

/** The address of a file of the page: `page.css` is `/assets/page-1a2b3c4d.css`. */
export function assetPath(name: string): string {
  const [, stem = '', ending = ''] = /^([a-z0-9]+)(\.[a-z]+)$/.exec(name) ?? [];
  const isIt = (file: string): boolean => file.startsWith(`${stem}-`) && file.endsWith(ending);
  const file = [...readAssets().keys()].find(isIt);
  if (file === undefined) throw new Error(`the installation of firebreak is incomplete: no asset ${name}`);
  return `/assets/${file}`;
}

/** A name never has other content, so a browser need not ask for it again. */
export const assets: Route = {
  method: 'GET',
  path: '/assets/{file}',
  summary: 'a file of the page',
  scope: null,
  handle: ({ params, headers }) => {
    const asset = readAssets().get(params['file'] ?? '');
    if (asset === undefined) throw new HttpError(404, 'not_found', 'no such file');
    const isKnown = headers.get('if-none-match') === asset.tag;
    return Promise.resolve({
      status: isKnown ? 304 : 200,
      body: asset.text,
      headers: {
        'Content-Type': asset.type,
        'Cache-Control': 'public, max-age=31536000, immutable',
        ETag: asset.tag,
      },
    });
  },
};
