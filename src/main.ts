#!/usr/bin/env node
import { join } from 'node:path';
import type { run } from './cli/run-command.js';
import { loadBundle } from './runtime/code-cache.js';
import { ignoreHangup } from './runtime/shutdown.js';

/** The bundle's name beside this file, from the build. */
declare const bundleName: string;

// Before anything else is loaded: a caller that goes away must not end a launcher that is only just starting.
ignoreHangup();
process.umask(0o077); // OSSIM calls with umask 0; our files must be private
const program = loadBundle(join(import.meta.dirname, bundleName)).exports as { run: typeof run };
void program.run(process.argv.slice(2));
