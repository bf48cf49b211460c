import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Config } from './schema.js';

/** How the last requests of a feed ended: `firebreak serve` writes it, other processes show it. */
const feedState = z.strictObject({
  last_success_at: z.number().nullable(),
  failing_since: z.number().nullable(),
  message: z.string().nullable(),
});

export type FeedState = z.infer<typeof feedState>;

const nothingYet: FeedState = { last_success_at: null, failing_since: null, message: null };

const fileOf = ({ state_dir }: Pick<Config, 'state_dir'>): string => path.join(state_dir, 'crowdsec.json');

/** Undefined if no feed is configured. A file that cannot be read counts as one that was not written yet. */
export function readFeedState(config: Pick<Config, 'state_dir' | 'feeds'>): FeedState | undefined {
  if (config.feeds.crowdsec === undefined) return undefined;
  try {
    const parsed = feedState.safeParse(JSON.parse(readFileSync(fileOf(config), 'utf8')));
    return parsed.success ? parsed.data : nothingYet;
  } catch {
    return nothingYet;
  }
}

export function writeFeedState(state: FeedState, config: Pick<Config, 'state_dir'>): void {
  const file = fileOf(config);
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
