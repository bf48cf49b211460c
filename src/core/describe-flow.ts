import type { Flow } from './flow.js';

/** A flow in short: `203.0.113.7 -> 192.168.1.10 tcp/22 on wan`. */
export function describeFlow({ source, destination, protocol, port, interface: name }: Flow): string {
  const service = port === '' ? protocol : `${protocol}/${port}`;
  return `${source} -> ${destination} ${service} on ${name}`;
}
