import { stringify } from 'yaml';
import * as z from 'zod';
import { explainKey } from '../config/explain.js';
import { loadConfig } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import { configSchema } from '../config/schema.js';
import type { CommandContext, CommandResult } from './result.js';

/**
 * The configuration in force, with defaults, written so that it can be read again. It holds no secret: secrets live in
 * files of their own.
 */
export async function showConfig(context: CommandContext): Promise<CommandResult> {
  const file = locateConfig(context.configFile);
  const plain = z.encode(configSchema, loadConfig(file));
  return Promise.resolve({ exit: 0, text: `# ${file}\n${stringify(plain).trimEnd()}`, json: plain });
}

/** What a key means, and its default. Needs no configuration. */
export async function explainConfig(key: string): Promise<CommandResult> {
  const keys = explainKey(key);
  const text = keys.map((each) => `${each.key} (default: ${each.default})\n  ${each.meaning}`).join('\n\n');
  return Promise.resolve({ exit: 0, text, json: { keys } });
}
