#!/usr/bin/env node
import { bindCommand, makeParser } from './cli/program.js';
import type { Run } from './cli/options.js';
import { FirebreakError } from './core/errors.js';
import { toPrintable, toPrintableJson } from './core/printable.js';
import { outliveCaller } from './runtime/shutdown.js';
import { overdraw } from './runtime/terminal.js';

interface GlobalArguments {
  config?: string;
  json?: boolean;
}

/** A line of progress that stands there is drawn over. */
const tell = (message: string): void => void process.stderr.write(`${overdraw()}firebreak: ${toPrintable(message)}\n`);

async function runCommand(args: GlobalArguments, command: Parameters<Run>[1]): Promise<void> {
  const { config, json = false } = args;
  const result = await command({ configFile: config, tell });
  process.stdout.write(
    `${json ? toPrintableJson(result.json) : result.isPrintable === true ? result.text : toPrintable(result.text)}\n`,
  );
  process.exitCode = result.exit;
}

async function main(argv: readonly string[]): Promise<void> {
  outliveCaller();
  process.umask(0o077); // OSSIM calls with 0, and all that we write is ours alone
  try {
    let running = Promise.resolve();
    // Handed back to yargs, the promise would make it lay out the whole help at every call, in case it is needed.
    const run: Run = (args, command) => {
      running = runCommand(args, command);
    };
    await makeParser(argv, run).parseAsync();
    await running;
  } catch (error) {
    process.exitCode = await tellError(error, argv.includes('--json'));
  }
}

async function tellError(error: unknown, json: boolean): Promise<number> {
  const known = error instanceof FirebreakError;
  const message = known
    ? error.message
    : `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const exit = known ? error.exit : 1;
  if (json) {
    const { errorToJson } = await import('./views/json.js');
    const code = known ? error.code : 'unexpected';
    process.stdout.write(`${toPrintableJson(errorToJson({ code, message, exit }))}\n`);
  } else {
    for (const line of message.split('\n')) tell(line);
  }
  return exit;
}

await main(bindCommand(process.argv.slice(2)));
