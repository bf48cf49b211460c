import { stringify } from 'yaml';
import * as z from 'zod';
import { explainKey } from '../../config/explain.js';
import { locateConfig } from '../../config/locate.js';
import { configSchema } from '../../config/schema.js';
import { openConfig } from '../../runtime/become-owner.js';
import { defineCommand, type Output } from '../command.js';

export const config = defineCommand({
  usage: 'config',
  summary: 'print the configuration in force',
  options: (argv) =>
    argv.option('explain', { type: 'string', requiresArg: true, describe: 'explain this key instead' }),
  run: ({ explain }, caller) => Promise.resolve(explain === undefined ? show(caller.configFile) : describe(explain)),
});

/**
 * The configuration in force, with defaults, written so that it can be read again. It contains no secrets: they are in
 * files of their own.
 */
function show(option: string | undefined): Output {
  const file = locateConfig(option);
  const plain = z.encode(configSchema, openConfig(file));
  return { exit: 0, text: `# ${file}\n${stringify(plain).trimEnd()}`, json: plain };
}

/** What a key means, and its default. It needs no configuration. */
function describe(key: string): Output {
  const keys = explainKey(key);
  const text = keys.map((each) => `${each.key} (default: ${each.default})\n  ${each.meaning}`).join('\n\n');
  return { exit: 0, text, json: { keys } };
}
