import { readFileSync } from 'node:fs';

let own: string | null | undefined;

/** `boot/pid/start`: identifies one process of this host, even if a later one has the same pid. */
export const processIdentity = (): string | null => (own ??= identityOf(process.pid));

function identityOf(pid: number): string | null {
  const start = readStart(pid);
  return start === undefined ? null : `${readBoot()}/${pid}/${start}`;
}

/** Has this process certainly ended? False if nothing is known about it. */
export function hasExited(identity: string | null): boolean {
  if (identity === null) return false;
  const [boot, pid] = identity.split('/');
  return boot?.replaceAll('-', '') !== readBoot() || identityOf(Number(pid)) !== identity.replaceAll('-', '');
}

/**
 * The id of the current boot. A systemd unit that sees only /proc's processes gets it from systemd, which writes it
 * without hyphens. @throws the system's own error if it is unknown
 */
export function readBoot(): string {
  const id = process.env['FIREBREAK_BOOT_ID'] || readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return id.replaceAll('-', '');
}

/** When it was started, in ticks since the boot; undefined if it has ended, or waits to be reaped. */
function readStart(pid: number): string | undefined {
  try {
    // The name, the second field, may contain spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // it has ended, or this system has no /proc: then only the lease's time counts
  }
}
