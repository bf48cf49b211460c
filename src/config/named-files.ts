import { resolve } from 'node:path';
import type { Problem } from '../core/errors.js';
import { readProtectedFile } from './protected-file.js';
import { configSchema, type Config } from './schema.js';
import type { FileKind, Protected } from './schema/kinds.js';
import { mapLeaves, type Leaf } from './schema/walk.js';

/** A file or folder that the configuration names, by its full path. */
export interface NamedFile {
  /** The configuration's key, as `mail.ca_file`. */
  key: string;
  file: string;
  kind: FileKind;
}

export interface NamedFiles {
  config: Config;
  files: NamedFile[];
  problems: Problem[];
}

/**
 * Resolves the paths that a configuration names against its own folder, so that it works from any working directory,
 * and reads the lists of protected addresses.
 */
export function readNamedFiles(parsed: Config, folder: string): NamedFiles {
  const files: NamedFile[] = [];
  const problems: Problem[] = [];
  const config = mapLeaves(configSchema, parsed, (leaf) => {
    const { key, value, fileKind: kind } = leaf;
    const name = fileNameOf(leaf);
    if (kind === undefined || name === undefined) return value;
    const file = kind === 'program' ? name : resolve(folder, name);
    files.push({ key, file, kind });
    if (kind !== 'protected') return file;
    const { problems: found, ...list } = readProtectedFile(file, key, resolve(folder, parsed.state_dir));
    problems.push(...found);
    return { ...(value as Protected), file, ...list }; // what an entry of this kind is
  });
  return { config, files, problems };
}

function fileNameOf({ value, fileKind }: Leaf): string | undefined {
  if (fileKind !== 'protected') return fileKind && String(value);
  const { text } = value as Protected; // what an entry of this kind is
  return text.startsWith('@') ? text.slice(1) : undefined;
}
