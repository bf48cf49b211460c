import { promises as dns } from 'node:dns';

/** How long one name may take. */
const timeoutMs = 2000;
const maxAddresses = 16;

/** The addresses of a host name in DNS, few and in order; empty if it has none or no server answers in time. */
export async function resolveName(name: string): Promise<string[]> {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries: 1 });
  const deadline = setTimeout(() => resolver.cancel(), timeoutMs);
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  clearTimeout(deadline);
  return found
    .flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    .sort()
    .slice(0, maxAddresses);
}
