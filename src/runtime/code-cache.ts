import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/**
 * A launcher runs for a fraction of a second, and compiling the program would take half of it. So the compiled code is
 * stored beside the program, in a folder that only those can write who can also change the program. The bundle's name
 * contains a hash of its content, and V8 refuses what another version of Node has compiled: a stale cache is never used.
 */
const cacheOf = (file: string): string => `${file}.${process.version}-${process.arch}.cache`;

/** A loaded bundle: what it exports, and a function that stores the code that was compiled so far. */
export interface Bundle {
  exports: unknown;
  saveCache: () => void;
}

/** Runs a bundle, which is one function with the parameters of a CommonJS module; from its code cache if there is one. */
export function loadBundle(file: string): Bundle {
  // It contains only ASCII: read as Latin-1, V8 needs one byte for each character.
  const text = readFileSync(file, 'latin1');
  const cachedData = readCache(file);
  const script = new Script(text, { filename: file, ...(cachedData && { cachedData }) });
  const module = { exports: {} };
  const run = script.runInThisContext() as (...values: unknown[]) => void;
  run(module.exports, createRequire(file), module, file, dirname(file));
  return {
    exports: module.exports,
    saveCache: () => {
      const cache = cacheOf(file);
      writeFileSync(`${cache}.new`, script.createCachedData(), { mode: 0o644, flush: true });
      renameSync(`${cache}.new`, cache);
    },
  };
}

function readCache(file: string): Buffer | undefined {
  try {
    return readFileSync(cacheOf(file));
  } catch {
    return undefined; // never made, or for another Node
  }
}
