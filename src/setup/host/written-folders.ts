import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { configSchema } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';

const usual = ['/var/lib/firebreak'];

/**
 * The folders that a run writes according to the configuration; the default one if there is none yet. The other files
 * that it names are not checked, because this account may not be able to read them, or they are below another root.
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
    const message = `${file} is invalid: run firebreak --config ${file} config to see why`;
    throw new FirebreakError('config_invalid', message, { cause: describeError(error) });
  }
}
