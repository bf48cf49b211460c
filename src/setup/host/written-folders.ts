import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { configSchema } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';

const usual = ['/var/lib/firebreak'];

/**
 * Folders that a run writes, by the configuration; the usual one where there is none yet. What else it names is not
 * looked at: its secrets are another account's, and below another root its files are elsewhere.
 * @throws FirebreakError config_invalid
 */
export function findWrittenFolders(root: string, configFile: string): string[] {
  const file = join(root, configFile);
  if (!existsSync(file)) return usual;
  const { state_dir, log } = read(file);
  const folders = [state_dir, ...(log.file === undefined ? [] : [dirname(log.file)])];
  return folders.map((folder) => resolve(dirname(configFile), folder));
}

function read(file: string) {
  try {
    return configSchema.parse(parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const message = `${file} is not understood: firebreak --config ${file} config says why`;
    throw new FirebreakError('config_invalid', message, { cause: describeError(error) });
  }
}
