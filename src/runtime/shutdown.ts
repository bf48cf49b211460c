/**
 * The launcher's answer to signals.
 *
 *   SIGINT, SIGTERM   first: `stop` is aborted, the run is ended gracefully; second: the process ends at once
 *   SIGHUP, EPIPE     nothing: the SSH caller has gone, the run is finished and recorded all the same
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
  const onHangUp = (): void => undefined;
  const onBrokenPipe = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  };
  target.on('SIGINT', onStop).on('SIGTERM', onStop).on('SIGHUP', onHangUp);
  target.stdout.on('error', onBrokenPipe);
  target.stderr.on('error', onBrokenPipe);
  return {
    stop: controller.signal,
    release: () => {
      target.off('SIGINT', onStop).off('SIGTERM', onStop).off('SIGHUP', onHangUp);
    },
  };
}
