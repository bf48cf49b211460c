import { readFeedState } from '../config/feed-state.js';
import type { Config } from '../config/schema.js';
import { ok, warn, type Check } from '../core/check.js';
import { formatSpan } from '../core/duration.js';
import { toTime } from '../views/json.js';

/** So often may a request have been missed. */
const maxMissed = 5;

/** Checks that `firebreak serve` receives the decisions of CrowdSec, as its last requests ended. */
export function checkFeed(config: Pick<Config, 'state_dir' | 'feeds'>, now: number = Date.now()): Check[] {
  const name = 'CrowdSec';
  const state = readFeedState(config);
  if (state === undefined || config.feeds.crowdsec === undefined) return [];
  const { url, every } = config.feeds.crowdsec;
  const { last_success_at: at, failing_since: since, message } = state;
  if (since !== null) {
    const fix = 'check feeds.crowdsec; cscli bouncers list shows when its key was last used';
    return [warn(name, `${url} has failed since ${String(toTime(since))}: ${message ?? ''}`, fix)];
  }
  const isLate = at === null || now - at > maxMissed * every;
  if (!isLate) return [ok(name, `decisions of ${url} were received ${formatSpan(now - at)} ago`)];
  const last = at === null ? 'never' : `${formatSpan(now - at)} ago`;
  return [warn(name, `decisions of ${url} were received ${last}`, 'run firebreak serve, or enable its unit')];
}
