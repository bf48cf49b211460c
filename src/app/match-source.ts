import { contains, isHost, parseAddress, type Address } from '../core/address.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { BlockQuery, Ledger } from '../ledger/ledger.js';

/** The blocks that concern a source. */
export interface SourceMatch {
  /** Its own, and those inside it if it is a network. */
  inside: Block[];
  /** Blocks of wider networks that cover it. */
  wider: Block[];
}

/** The value of `--source`. @throws FirebreakError usage */
export function parseSource(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('usage', `--source: ${parsed.message}`);
  return parsed.address;
}

/** The blocks that can be inside a network or cover it: those of IPv4 that begin with its whole numbers, and networks. */
async function findNear({ text, family, prefix }: Address, query: BlockQuery, ledger: Ledger): Promise<Block[]> {
  if (family !== 'inet' || prefix < 8) return ledger.findBlocks(query);
  const sourcePrefix = text
    .split('.')
    .slice(0, Math.floor(prefix / 8))
    .map((number) => `${number}.`)
    .join('');
  const networks = await ledger.findBlocks({ ...query, hasNetworkSource: true });
  const inside = await ledger.findBlocks({ ...query, sourcePrefix });
  return [...networks, ...inside.filter(({ flow }) => !flow.source.includes('/'))];
}

/** Finds the blocks of a host or network, of the addresses inside it, and of the networks that cover it. */
export async function matchSource(source: Address, query: BlockQuery, ledger: Ledger): Promise<SourceMatch> {
  const found = isHost(source)
    ? [
        ...(await ledger.findBlocks({ ...query, source: source.text })),
        ...(await ledger.findBlocks({ ...query, hasNetworkSource: true })),
      ]
    : await findNear(source, query, ledger);
  const inside: Block[] = [];
  const wider: Block[] = [];
  for (const block of found) {
    const parsed = parseAddress(block.flow.source);
    if (!parsed.ok) continue;
    if (contains(source, parsed.address)) inside.push(block);
    else if (contains(parsed.address, source)) wider.push(block);
  }
  return { inside, wider };
}
