import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FirebreakError } from '../core/errors.js';

const usual = '/etc/firebreak/firebreak.yml';

/**
 * Finds the configuration: `--config`, else `$FIREBREAK_CONFIG`, else /etc/firebreak/firebreak.yml. The current folder is
 * never searched, because it may belong to another user.
 * @throws FirebreakError config_missing, naming the places that were tried
 */
export function locateConfig(option: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const named = option ?? (env['FIREBREAK_CONFIG'] || undefined);
  if (named !== undefined) {
    if (existsSync(named)) return resolve(named);
    const origin = option === undefined ? '$FIREBREAK_CONFIG' : '--config';
    throw new FirebreakError(
      'config_missing',
      `${named}: no such file (given by ${origin}); correct the path, or create it with firebreak init`,
    );
  }
  if (existsSync(usual)) return usual;
  throw new FirebreakError(
    'config_missing',
    `no configuration: ${usual} does not exist; name a file with --config FILE or $FIREBREAK_CONFIG, or create one with firebreak init`,
  );
}
