import { exitOf } from '../core/check.js';
import { diagnose } from '../doctor/diagnose.js';
import { watchSignals } from '../runtime/shutdown.js';
import { checksToJson, checksToText } from '../views/checks.js';
import { startProgress } from './progress.js';
import type { CommandContext, CommandResult } from './result.js';

export interface DoctorOptions {
  /** Sends a test mail. */
  send: boolean;
  firewalls: readonly string[];
  isColoured: boolean;
}

/** Runs the diagnosis with signals and progress, and lays out its answer. */
export async function doctor(options: DoctorOptions, { configFile }: CommandContext): Promise<CommandResult> {
  const { send, firewalls, isColoured } = options;
  const signals = watchSignals();
  const progress = startProgress();
  try {
    const { sections } = await diagnose({ configFile, firewalls, send, stop: signals.stop, progress });
    return {
      exit: exitOf(sections),
      text: checksToText(sections, isColoured),
      isPrintable: true,
      json: checksToJson(sections),
    };
  } finally {
    progress.close();
    signals.release();
  }
}
