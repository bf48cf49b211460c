import { toDataUrl } from './launcher.js';

/** Calls of node:fs that need room, an inode or a descriptor. One that truncates needs none. */
const calls = [
  ...['writeFileSync', 'writeSync', 'mkdirSync', 'mkdtempSync', 'renameSync', 'linkSync', 'chmodSync', 'fchmodSync'],
  ...['appendFileSync', 'copyFileSync', 'fdatasyncSync', 'fsyncSync'],
];

export interface FailingWrites {
  /** The first call that fails, counted from 1. */
  readonly from: number;
  /** Whether all later ones fail as well, as on a full disk; otherwise that one alone. */
  readonly isLasting: boolean;
  readonly code: 'ENOSPC' | 'EMFILE' | 'EROFS';
  /** Receives the name of the call that failed first. */
  readonly report: string;
}

/** The environment in which our program's writes fail. SQLite's own are not affected; Ansible's are not either. */
export function failWrites({ from, isLasting, code, report }: FailingWrites): Record<string, string> {
  const shim = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const report = fs.writeFileSync;
    let count = 0;
    const check = (name, path) => {
      count += 1;
      if (count === ${from}) report(${JSON.stringify(report)}, name + ' ' + path);
      if (${isLasting} ? count >= ${from} : count === ${from})
        throw Object.assign(new Error('${code}: injected, ' + name), { code: '${code}', syscall: name });
    };
    for (const name of ${JSON.stringify(calls)}) {
      const original = fs[name];
      fs[name] = (...args) => { check(name, args[0]); return original(...args); };
    }
    const { openSync } = fs;
    fs.openSync = (path, flags = 'r', ...more) => {
      if (flags !== 'r') check('openSync', path);
      return openSync(path, flags, ...more);
    };
    syncBuiltinESMExports();`;
  return { NODE_OPTIONS: `--import ${toDataUrl(shim)}` };
}
