import { stringify } from 'yaml';
import { explainKey } from '../config/explain.js';
import { loadConfig } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import { formatDuration } from '../core/duration.js';
import type { Caller } from './context.js';

interface Shown {
  exit: number;
  text: string;
  json: object;
}

/** The configuration as it is in force, defaults filled in. It holds no secret: secrets live in files of their own. */
export async function showConfig(context: Caller): Promise<Shown> {
  const file = locateConfig(context.configFile);
  const config = loadConfig(file);
  const plain = JSON.parse(JSON.stringify(config, asWritten)) as object;
  return Promise.resolve({ exit: 0, text: `# ${file}\n${stringify(plain).trimEnd()}`, json: plain });
}

/** What a key means, and its default. Needs no configuration. */
export async function explainConfig(key: string): Promise<Shown> {
  const keys = explainKey(key);
  const text = keys.map((each) => `${each.key} (default: ${each.default})\n  ${each.meaning}`).join('\n\n');
  return Promise.resolve({ exit: 0, text, json: { keys } });
}

/** Keys whose value is a time: read as milliseconds, written as `24h`. */
const durations = new Set([
  'duration',
  'longest',
  'timeout',
  'recheck',
  'same_event',
  'give_up',
  'patience',
  'hold_for',
  'keep_alarms',
  'max',
  'max_age',
  'memory',
]);

/** Values as somebody would write them, so that what is printed can be read again. */
function asWritten(key: string, value: unknown): unknown {
  if (durations.has(key) && (typeof value === 'number' || value === null)) return formatDuration(value);
  return typeof value === 'object' && value !== null && 'text' in value ? value.text : value;
}
