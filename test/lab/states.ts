import { isIPv6 } from 'node:net';

/** One connection pf knows of, from outside to inside. */
export interface State {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly sourcePort?: number;
  readonly interface?: string;
}

function renderEnd(address: string, port: number): string {
  return isIPv6(address) ? `${address}[${port}]` : `${address}:${port}`;
}

/** As `pfctl -ss` prints it. */
export function renderState({ source, destination, port, sourcePort = 40000, interface: nic = 'em0' }: State): string {
  const ends = `${renderEnd(destination, port)} <- ${renderEnd(source, sourcePort)}`;
  return `${nic} tcp ${ends}       ESTABLISHED:ESTABLISHED`;
}
