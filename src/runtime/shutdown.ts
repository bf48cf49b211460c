/**
 * Lets the program outlive its caller: when an SSH session ends or a pipe is closed, work in progress is finished and
 * recorded. Call it first; it cannot be undone.
 *
 *   SIGHUP                          nothing
 *   an error of stdout, stderr      nothing: the reader is gone, or the disk is full. The work is done, and
 *                                   the exit code says so
 */
export function ignoreHangup(target: NodeJS.Process = process): void {
  target.setMaxListeners(0); // each run of many firewalls listens for the exit
  target.on('SIGHUP', () => undefined);
  target.stdout.on('error', () => undefined);
  target.stderr.on('error', () => undefined);
}

/**
 * Handles SIGINT and SIGTERM, once the launcher catches them. First signal: `stop` is aborted and the run ends
 * gracefully. Second: the process exits immediately, and kills everything it runs (see runProcess).
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
      // Not anew at each call: Node drops a signal that arrives between the end of a listener and the next one.
      if (target.listeners('SIGTERM').includes(onSignal)) return;
      target.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    },
    release,
  };
}
