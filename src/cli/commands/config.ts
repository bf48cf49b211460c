import { explainConfig, showConfig } from '../../app/config.js';
import { defineCommand } from '../command.js';

export const config = defineCommand({
  usage: 'config',
  summary: 'print the configuration in force',
  options: (argv) =>
    argv.option('explain', { type: 'string', requiresArg: true, describe: 'explain this key instead' }),
  run: ({ explain }, caller) => (explain === undefined ? showConfig(caller) : explainConfig(explain)),
});
