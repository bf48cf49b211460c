import { isIPv6 } from 'node:net';

/** One connection pf knows of, from outside to inside. */
export interface State {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly sourcePort?: number;
  /** tcp by default. */
  readonly protocol?: string;
  /** The interface the state is bound to; `all` where it floats. By default what the version does. */
  readonly interface?: string;
  /** The public address and port of a forwarded connection, which are on the wire of its incoming state. */
  readonly forwardedBy?: { readonly address: string; readonly port: number };
  /** The state that a forwarded connection has where it leaves for the inside. */
  readonly leaves?: boolean;
}

function renderEnd(address: string, port: number): string {
  return isIPv6(address) ? `${address}[${port}]` : `${address}:${port}`;
}

/** As `pfctl -ss` prints it: up to 2.7.2 states float, from 2.8 on they are bound to their interface. */
export function renderState(state: State, isBound = false): string {
  const { source, destination, port, sourcePort = 40000, protocol = 'tcp', forwardedBy, leaves = false } = state;
  const { interface: nic = isBound ? (leaves ? 'em1' : 'em0') : 'all' } = state;
  const inside = renderEnd(destination, port);
  const outside = renderEnd(source, sourcePort);
  const wire = forwardedBy === undefined ? '' : ` (${renderEnd(forwardedBy.address, forwardedBy.port)})`;
  const ends = leaves ? `${outside} -> ${inside}` : `${inside}${wire} <- ${outside}`;
  const kind = protocol === 'tcp' ? 'ESTABLISHED:ESTABLISHED' : protocol === 'udp' ? 'MULTIPLE:MULTIPLE' : '0:0';
  return `${nic} ${protocol} ${ends}       ${kind}`;
}
