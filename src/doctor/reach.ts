import { connect } from 'node:net';
import type { FirewallConfig } from '../config/schema.js';
import { failWith, faultExits, ok, type Check } from '../core/check.js';

/** Checks that the SSH port answers: ssh's own error would come later and say less. */
export function checkReach({ host, port }: Pick<FirewallConfig, 'host' | 'port'>, limitMs = 5000): Promise<Check> {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const fail = (detail: string): Check => failWith(faultExits.unreachable)('TCP', detail, howToReach);
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    const end = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    socket.once('connect', () => end(ok('TCP', `${place} answers`)));
    socket.once('timeout', () => end(fail(`${place} does not answer within ${limitMs / 1000} s`)));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(fail(`${place}: ${networkErrors[error.code ?? ''] ?? error.message}`)),
    );
  });
}

export const howToReach =
  'check host and port in firebreak.yml, that sshd runs there, and that a rule allows this host';

const networkErrors: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to its network',
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved (no name server answers)',
};
