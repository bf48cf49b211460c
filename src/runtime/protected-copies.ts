import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { copyOf } from '../config/protected-file.js';
import type { Config } from '../config/schema.js';

/** Stores the content of each list of protected addresses, for the case that its file vanishes or is emptied. */
export function saveProtectedCopies({ policy, state_dir: stateDir }: Config): void {
  for (const { file, networks, warning } of policy.never_block) {
    if (file === undefined || warning !== undefined || networks.length === 0) continue;
    const copy = copyOf(file, stateDir);
    const text = `${networks.map((network) => network.text).join('\n')}\n`;
    try {
      if (readText(copy) === text) continue;
      mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
      const temporary = `${copy}.${process.pid}`;
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, copy);
    } catch {
      return; // the ledger has the same error, and reports it
    }
  }
}

/** What to warn of in each call and in doctor. */
export const findListWarnings = ({ policy }: Config): string[] =>
  policy.never_block.flatMap(({ warning }) => warning ?? []);

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
