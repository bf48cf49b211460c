import type { Screen } from '../runtime/app.js';
import { clearLine, widthOf, type Screen as Stream } from '../runtime/terminal.js';
import { describeDoing, type Doing } from '../views/progress-line.js';

/** How often the line is redrawn: events are rare, but the seconds count up. */
const drawMs = 250;

const starting = 'Ansible starts';

/** Shows what is in progress in one line on stderr, cleared at the end. Silent unless stderr is a terminal. */
export function startProgress(
  stream: Stream & Pick<NodeJS.WriteStream, 'write'> = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Screen & { close: () => void } {
  const entries = new Set<() => Doing>();
  const clear = clearLine(stream, env);
  let timer: NodeJS.Timeout | undefined;
  let readEvents: ReadEvents | undefined;
  const loadReader = async (): Promise<void> => {
    ({ readEvents } = await import('../platforms/ansible/events.js'));
  };
  const draw = (): void => {
    const doings = [...entries].map((entry) => entry());
    if (doings.length > 0) stream.write(`${clear}${describeDoing(doings, widthOf(stream))}`);
  };
  const show = (firewall: string, find: () => string): (() => void) => {
    const began = performance.now();
    const entry = (): Doing => ({ firewall, what: find(), ms: performance.now() - began });
    entries.add(entry);
    if (clear !== '') timer ??= setInterval(draw, drawMs);
    return () => {
      if (entries.delete(entry)) stream.write(clear);
      if (entries.size === 0) close();
    };
  };
  const close = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    watch: (firewall, eventsFile) => {
      if (clear !== '') void loadReader();
      return show(firewall, () => (readEvents === undefined ? starting : findTask(readEvents, eventsFile)));
    },
    wait: (firewall, what) => show(firewall, () => what),
    close,
  };
}

/** Events are read by what checks them, which a command that shows no progress does not load. */
type ReadEvents = typeof import('../platforms/ansible/events.js').readEvents;

const findTask = (readEvents: ReadEvents, file: string): string =>
  readEvents(file)
    .flatMap((event) => (event.event === 'task' ? event.task : []))
    .at(-1) ?? starting;
