#!/usr/bin/env node
import type { Command } from './cli/command.js';
import { printError, printLine, printOutput, warn } from './cli/output.js';
import { bindCommand, findHelp, makeParser } from './cli/program.js';
import { startProgress } from './cli/progress.js';
import { ignoreHangup } from './runtime/shutdown.js';

async function runCommand(command: Command, args: { config?: string; json?: boolean }): Promise<void> {
  const screen = startProgress();
  try {
    const output = await command.run(args, { configFile: args.config, warn, screen });
    printOutput(output, args.json ?? false);
    process.exitCode = output.exit;
  } finally {
    screen.close();
  }
}

async function main(argv: readonly string[]): Promise<void> {
  ignoreHangup();
  process.umask(0o077); // OSSIM calls with umask 0; our files must be private
  try {
    const help = await findHelp(argv);
    if (help !== undefined) {
      help.split('\n').forEach(printLine);
      return;
    }
    let running = Promise.resolve();
    // If the promise were returned to yargs, it would lay out the whole help at every call in case it is needed.
    const parser = await makeParser(argv, (command, args) => {
      running = runCommand(command, args);
    });
    await parser.parseAsync();
    await running;
  } catch (error) {
    process.exitCode = await printError(error, argv.includes('--json'));
  }
}

await main(bindCommand(process.argv.slice(2)));
