import { readFileSync } from 'node:fs';

/** `boot/pid/start`: one process of this host, not to be mistaken for a later one with its number. */
export function processIdentity(pid = process.pid): string | null {
  const start = readStart(pid);
  return start === undefined ? null : `${readBoot()}/${pid}/${start}`;
}

/** Is it certain that this process has ended? Never so where nothing is known of it. */
export function hasExited(identity: string | null): boolean {
  if (identity === null) return false;
  const [boot, pid] = identity.split('/');
  return boot?.replaceAll('-', '') !== readBoot() || processIdentity(Number(pid)) !== identity.replaceAll('-', '');
}

/**
 * Tells one boot from another. A unit of systemd that may see processes only has it from systemd, which writes it
 * without hyphens. @throws the system's own error where it does not say
 */
export function readBoot(): string {
  const told = process.env['FIREBREAK_BOOT_ID'] || readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return told.replaceAll('-', '');
}

/** When it was started, in ticks since the boot; undefined where it has ended, or waits to be reaped. */
function readStart(pid: number): string | undefined {
  try {
    // The name, second of the fields, may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // it has ended, or this system has no /proc: then the lease's time alone tells
  }
}
