import type { Command } from './command.js';
import { printError, printLine, printOutput, warn } from './output.js';
import { bindCommand, findHelp, makeParser } from './program.js';
import { startProgress } from './progress.js';

async function runCommand(command: Command, args: { config?: string; json?: boolean }): Promise<void> {
  const screen = startProgress();
  try {
    const result = await command.run(args, { configFile: args.config, warn, screen });
    if (result.text !== undefined) printOutput(result, args.json ?? false);
    process.exitCode = result.exit;
  } finally {
    screen.close();
  }
}

/** Runs the command that the arguments name, and sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  const argv = bindCommand(args);
  try {
    const help = await findHelp(argv);
    if (help !== undefined) {
      help.split('\n').forEach(printLine);
      return;
    }
    let running = Promise.resolve();
    const parser = await makeParser(argv, (command, parsed) => {
      running = runCommand(command, parsed);
    });
    await parser.parseAsync();
    await running;
  } catch (error) {
    process.exitCode = await printError(error, argv.includes('--json'));
  }
}
