/**
 * Lets the program outlive its caller: where an SSH session ends or a pipe is closed, what was begun is finished and
 * recorded all the same. Call it first of all; nothing undoes it.
 *
 *   SIGHUP                          nothing
 *   an error of stdout, stderr      nothing: nobody reads there any more, or the disk is full. What was done is done, and
 *                                   the exit code says so
 */
export function outliveCaller(target: NodeJS.Process = process): void {
  target.setMaxListeners(0); // each run of many firewalls listens for the exit
  target.on('SIGHUP', () => undefined);
  target.stdout.on('error', () => undefined);
  target.stderr.on('error', () => undefined);
}

/**
 * The launcher's answer to SIGINT and SIGTERM. First: `stop` is aborted, the run is ended gracefully. Second: the
 * process ends at once, and with it all that it runs (see runProcess).
 *
 * @param onForce what to do before a second signal ends the process
 */
export function watchSignals(
  onForce: () => void = () => undefined,
  target: NodeJS.Process = process,
): { stop: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onStop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      onForce();
      target.exit(130);
    }
    controller.abort(name);
  };
  target.on('SIGINT', onStop).on('SIGTERM', onStop);
  return {
    stop: controller.signal,
    release: () => void target.off('SIGINT', onStop).off('SIGTERM', onStop),
  };
}
