import { ulid } from 'ulid';
import { findPolicy } from '../config/policy.js';
import type { Config } from '../config/schema.js';
import { newBlock, refuse, type Block } from '../core/block.js';
import type { Finding } from '../core/lifecycle.js';
import type { Answer, RunSummary } from '../core/outcome.js';
import { findRefusal } from '../core/policy.js';
import { computeTracker } from '../core/tracker.js';
import { runBatch } from '../dispatch/batch.js';
import { startProgress } from './progress.js';
import type { BlockRequest } from '../ledger/ledger.js';
import { watchSignals } from '../runtime/shutdown.js';

/** Blocks without the ledger: what a dry run foretells, and what is left to do where nothing can be kept. */

export const wouldBlock = async (wanted: readonly BlockRequest[], config: Config): Promise<Answer> => ({
  ...(await foretellAll(wanted.map(looseBlock), config)),
  alarm: ulid(),
  check: true,
});

export const tryUnkept = async (wanted: readonly BlockRequest[], alarm: string, config: Config): Promise<Answer> => ({
  ...(await runAtOnce(wanted.map(looseBlock), config, false)),
  alarm,
  check: false,
});

/** Blocks for which no run is started now, and why. */
export const asLoose = (wanted: readonly BlockRequest[], reason: string): Pick<Answer, 'blocks' | 'run'> => ({
  blocks: wanted
    .map(looseBlock)
    .map((block) =>
      block.state === 'refused' ? block : { ...block, trouble: 'failed', code: 'ledger_unwritable', tried: 1, reason },
    ),
  run: null,
});

/** What a run would change for each block; nothing is changed anywhere. */
export const foretellAll = (blocks: readonly Block[], config: Config) => runAtOnce(blocks, config, true);

async function runAtOnce(
  blocks: readonly Block[],
  config: Config,
  check: boolean,
): Promise<Pick<Answer, 'blocks' | 'run'>> {
  const signals = watchSignals();
  const progress = startProgress();
  try {
    const firewalls = [...new Set(blocks.map(({ firewall }) => firewall))];
    const results = await Promise.all(
      firewalls.map((name) =>
        runOne(
          blocks.filter(({ firewall }) => firewall === name),
          { firewall: name, config, check, keepRecord: false, stop: signals.stop, watch: progress.watch },
        ),
      ),
    );
    const runs = results.flatMap(({ run }) => run ?? []).sort((one, other) => other.ms - one.ms);
    return { blocks: results.flatMap((result) => result.blocks), run: runs[0] ?? null };
  } finally {
    progress.close();
    signals.release();
  }
}

type Setting = Omit<Parameters<typeof runBatch>[0], 'run' | 'blocks'>;

async function runOne(
  blocks: readonly Block[],
  setting: Setting,
): Promise<{ blocks: Block[]; run: RunSummary | null }> {
  const wanted = blocks.filter(({ state }) => state !== 'refused');
  if (wanted.length === 0) return { blocks: [...blocks], run: null };
  const run = ulid();
  const { ms, findings, addresses = [] } = await runBatch({ ...setting, run, blocks: wanted });
  const policy = findPolicy(setting.config, {
    seen: { addresses: { [setting.firewall]: addresses }, callers: [] },
    firewall: setting.firewall,
  });
  const settled = blocks.map((block) => {
    const finding = findings.get(block.id);
    const refusal = setting.check && block.wanted === 'present' ? findRefusal(block.flow, policy) : undefined;
    if (refusal !== undefined && block.override === null) return refuse(block, refusal);
    return finding === undefined ? block : apply(block, finding, setting.check, run);
  });
  return { blocks: settled, run: { id: run, ms, batch: wanted.length } };
}

function apply(block: Block, finding: Finding, check: boolean, run: string): Block {
  const told = { ...block, tried: block.revision, run };
  if (finding.kind === 'refused') return refuse(told, finding.reason);
  if (finding.kind === 'trouble') return { ...told, changed: false, ...troubleOf(finding) };
  const { changed } = finding;
  const calm = { ...told, changed, trouble: null, code: null, reason: null };
  if (block.wanted === 'absent') return { ...calm, state: check && changed ? 'releasing' : 'released' };
  return {
    ...calm,
    state: check && changed ? 'pending' : 'active',
    provenAt: check ? block.provenAt : block.createdAt,
  };
}

const troubleOf = ({ trouble, code, reason }: Extract<Finding, { kind: 'trouble' }>) => ({ trouble, code, reason });

/** A block that stands in no ledger. */
function looseBlock({ firewall, flow, description, refusal, override }: BlockRequest): Block {
  const now = Date.now();
  const fresh = newBlock({ id: ulid(now), firewall, flow, tracker: computeTracker(flow), description }, now);
  const block = { ...fresh, override: override ?? null };
  return refusal === undefined ? block : refuse(block, refusal);
}
