import { existsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
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
    assertReachable(resolve(named));
    const origin = option === undefined ? '$FIREBREAK_CONFIG' : '--config';
    throw new FirebreakError(
      'config_missing',
      `${named}: no such file (given by ${origin}); correct the path, or create it with firebreak init`,
    );
  }
  if (existsSync(usual)) return usual;
  assertReachable(usual);
  throw new FirebreakError(
    'config_missing',
    `no configuration: ${usual} does not exist; name a file with --config FILE or $FIREBREAK_CONFIG, or create one with firebreak init`,
  );
}

/** @throws FirebreakError config_unreadable if a folder above the file hides it from this account */
function assertReachable(file: string): void {
  try {
    statSync(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) return; // missing
    throw new FirebreakError('config_unreadable', explainNoAccess(file), { cause: error });
  }
}

/** Whose the file is, as far as this account can see, and what to type. */
export function explainNoAccess(file: string): string {
  let folder = file;
  for (;;) {
    try {
      const { uid, gid } = statSync(folder);
      return `${file}: permission denied; ${folder} belongs to user ${uid} and group ${gid}, and you are ${us()}; run sudo firebreak`;
    } catch {
      if (folder === dirname(folder)) return `${file}: permission denied; run sudo firebreak`;
      folder = dirname(folder);
    }
  }
}

function us(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.geteuid?.() ?? '?'}`;
  }
}
