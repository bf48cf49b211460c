import type { Flow } from './flow.js';

/** The parts of a flow that its description contains. */
export type FlowTexts = Readonly<
  Record<keyof Pick<Flow, 'source' | 'destination' | 'protocol' | 'port' | 'interface'>, string>
>;

/** A flow in short: `203.0.113.7 -> 192.168.1.10 tcp/22 on wan`. */
export function describeFlow({ source, destination, protocol, port, interface: name }: FlowTexts): string {
  const service = port === '' ? protocol : `${protocol}/${port}`;
  return `${source} -> ${destination} ${service} on ${name}`;
}
