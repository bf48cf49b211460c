#!/usr/bin/env node
import { ignoreHangup } from './runtime/shutdown.js';

// Before anything else is loaded: a caller that goes away must not end a launcher that is only just starting.
ignoreHangup();
process.umask(0o077); // OSSIM calls with umask 0; our files must be private
const { run } = await import('./cli/run-command.js');
await run(process.argv.slice(2));
