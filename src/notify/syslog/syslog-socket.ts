import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';

/** How long a server may take to accept all lines. */
const maxSendMs = 10_000;

export type SyslogTarget = { kind: 'udp' | 'tcp'; host: string; port: number } | { kind: 'unix'; path: string };

/** Reads `udp://host:port`, `tcp://[2001:db8::1]`, `unix:/path`; the default port is 514. */
export function parseTarget(text: string): SyslogTarget {
  const [, kind, host = '', port = '514'] = /^(udp|tcp):\/\/\[?(.+?)\]?(?::(\d+))?$/.exec(text) ?? [];
  if (kind === undefined) return { kind: 'unix', path: text.slice('unix:'.length) };
  return { kind: kind === 'udp' ? 'udp' : 'tcp', host, port: Number(port) };
}

/** Sends lines in order; resolves when the system (UDP) or the peer (TCP, unix) has accepted them. @throws otherwise */
export async function sendLines(target: SyslogTarget, lines: readonly string[]): Promise<void> {
  if (target.kind === 'udp') return sendDatagrams(target, lines);
  return sendStream(target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port }, lines);
}

async function sendDatagrams({ host, port }: { host: string; port: number }, lines: readonly string[]): Promise<void> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    for (const line of lines) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.send(line, port, host, (error) => (error === null ? resolve() : reject(error)));
      });
      socket.removeAllListeners('error');
    }
  } finally {
    socket.on('error', () => undefined).close();
  }
}

/** RFC 6587, 3.4.1: each line is preceded by its length, so that one cannot be read as two. */
function sendStream(
  address: { path: string } | { host: string; port: number },
  lines: readonly string[],
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const socket = connect(address);
    const timer = setTimeout(() => socket.destroy(new Error(`not accepted within ${maxSendMs / 1000} s`)), maxSendMs);
    socket.once('error', reject).once('close', (hadError) => {
      clearTimeout(timer);
      if (!hadError) resolve();
    });
    socket.resume(); // ignores its answer, but notices its end
    socket.once('connect', () => {
      socket.end(lines.map((line) => `${Buffer.byteLength(line)} ${line}`).join(''), () => socket.destroySoon());
    });
  });
}
