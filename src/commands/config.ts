import { stringify } from 'yaml';
import { loadConfig } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import type { CommandContext, CommandResult } from './result.js';

/** The configuration as it is in force, defaults filled in. It holds no secret: secrets live in files of their own. */
export async function showConfig(context: CommandContext): Promise<CommandResult> {
  const file = locateConfig(context.configFile);
  const config = loadConfig(file);
  const plain = JSON.parse(JSON.stringify(config, addressAsText)) as object;
  return Promise.resolve({ exit: 0, text: `# ${file}\n${stringify(plain).trimEnd()}`, json: plain });
}

function addressAsText(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'family' in value && 'text' in value ? value.text : value;
}
