/**
 * Lets the program outlive its caller: where an SSH session ends or a pipe is closed, what was begun is finished and
 * recorded all the same. Call it first of all; nothing undoes it.
 *
 *   SIGHUP                          nothing
 *   an error of stdout, stderr      nothing: nobody reads there any more, or the disk is full. What was done is done, and
 *                                   the exit code says so
 */
export function ignoreHangup(target: NodeJS.Process = process): void {
  target.setMaxListeners(0); // each run of many firewalls listens for the exit
  target.on('SIGHUP', () => undefined);
  target.stdout.on('error', () => undefined);
  target.stderr.on('error', () => undefined);
}

/**
 * The launcher's answer to SIGINT and SIGTERM, once it catches them. First signal: `stop` is aborted and the run ends
 * gracefully. Second: the process ends at once, and with it all that it runs (see runProcess).
 */
export function prepareStop(target: NodeJS.Process = process): {
  stop: AbortSignal;
  catchSignals: () => void;
  release: () => void;
} {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) target.exit(130);
    controller.abort(name);
  };
  const release = (): void => void target.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  return {
    stop: controller.signal,
    catchSignals: () => {
      release();
      target.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    },
    release,
  };
}
