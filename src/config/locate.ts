import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FirebreakError } from '../core/errors.js';

const usual = '/etc/firebreak/firebreak.yml';

/**
 * Finds the configuration: `--config`, else `$FIREBREAK_CONFIG`, else /etc/firebreak/firebreak.yml. Never by the folder
 * that somebody happens to be in: it may be another user's.
 * @throws FirebreakError config_missing, naming the places that were tried
 */
export function locateConfig(option: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const named = option ?? (env['FIREBREAK_CONFIG'] || undefined);
  if (named !== undefined) {
    if (existsSync(named)) return resolve(named);
    const origin = option === undefined ? '$FIREBREAK_CONFIG' : '--config';
    throw new FirebreakError(
      'config_missing',
      `${named}: no such file (named by ${origin}): give its right place, or have it written by firebreak init`,
    );
  }
  if (existsSync(usual)) return usual;
  throw new FirebreakError(
    'config_missing',
    `no configuration: there is no ${usual}; name one with --config FILE or $FIREBREAK_CONFIG, or have one written by firebreak init`,
  );
}
