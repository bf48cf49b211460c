import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import { isOver } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { toPort } from '../core/services.js';
import { acquireDueLeases } from '../dispatch/wait.js';
import type { BlockQuery, Ledger } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { dryRun } from './dry-run.js';
import { findBlock } from './find-block.js';
import { submit } from './submit.js';

export interface ReleaseOptions {
  source: string | undefined;
  destination: string | undefined;
  port: string | undefined;
  id: string | undefined;
  firewalls: readonly string[];
  check: boolean;
  wait: boolean;
}

/** Releases every matching block, and proves that its rule is gone. */
export async function release(options: ReleaseOptions, app: App): Promise<Answer> {
  const { ledger } = app;
  const query = await toQuery(options, app.config, ledger);
  const current = (await ledger.findBlocks(query)).filter((block) => !isOver(block));
  if (current.length === 0) return noMatch(query, ledger);
  if (options.check) {
    const blocks = current.map((block) => ({ ...block, desired: 'absent' as const }));
    return { ...(await dryRun(blocks, app)), check: true, isAwaited: false };
  }
  const record = async (owner: string) => {
    const blocks = await ledger.release(query, 'released by an operator');
    return { blocks, leases: await acquireDueLeases(blocks, owner, ledger) };
  };
  return submit(app, record, options);
}

async function toQuery(options: ReleaseOptions, config: Config, ledger: Ledger): Promise<BlockQuery> {
  const { id, source, destination, port, firewalls } = options;
  if (id !== undefined) {
    if (source !== undefined) throw new FirebreakError('usage', 'give SOURCE or --id, not both');
    return { ids: [(await findBlock(id, ledger)).id] };
  }
  if (source === undefined) {
    throw new FirebreakError(
      'usage',
      'expected a source or an id: firebreak unblock SOURCE [DESTINATION [PORT]], or --id ID',
    );
  }
  return {
    source: canonical('source', source),
    ...(destination !== undefined && { destination: canonical('destination', destination) }),
    ...(port !== undefined && { port: port === '0' ? '' : toPort(port) }),
    ...(firewalls.length > 0 && { firewalls: selectFirewalls(config, firewalls).map(([name]) => name) }),
  };
}

function canonical(name: string, text: string): string {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('alarm_invalid', `${name}: ${parsed.message}`);
  return parsed.address.text;
}

/** Releasing twice is not an error; a block that never existed is more likely a typing mistake. */
async function noMatch(query: BlockQuery, ledger: Ledger): Promise<Answer> {
  const last = (await ledger.findBlocks(query)).filter(({ state }) => state === 'released').at(-1);
  if (last === undefined) {
    throw new FirebreakError('block_unknown', 'no block matches; run firebreak list to see current blocks');
  }
  return { check: false, isAwaited: false, blocks: [{ ...last, changed: false }], run: null };
}
