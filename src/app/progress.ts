import { readEvents } from '../platforms/ansible/events.js';
import type { Watch } from '../platforms/ansible/run.js';
import { describeDoing, type Doing } from '../views/progress-line.js';
import { overdraw, widthOf, type Screen } from '../runtime/terminal.js';

export interface Progress {
  /** Shows a run from its events, until the function it gives is called. */
  watch: Watch;
  /** Shows what else is waited for. */
  wait: (where: string, what: string) => () => void;
  /** Takes the line away. */
  close: () => void;
}

/** How often the line is drawn: events come seldom, seconds pass. */
const drawMs = 250;

/** What goes on, in one line on stderr that is drawn over and taken away at the end. Quiet where nobody watches. */
export function startProgress(
  screen: Screen & Pick<NodeJS.WriteStream, 'write'> = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Progress {
  const all = new Set<() => Doing>();
  const clear = overdraw(screen, env);
  const draw = (): void => {
    const doings = [...all].map((look) => look());
    if (doings.length > 0) screen.write(`${clear}${describeDoing(doings, widthOf(screen))}`);
  };
  const timer = clear === '' ? undefined : setInterval(draw, drawMs);
  const show = (firewall: string, find: () => string): (() => void) => {
    const began = performance.now();
    const look = (): Doing => ({ firewall, what: find(), ms: performance.now() - began });
    all.add(look);
    return () => {
      if (all.delete(look)) screen.write(clear);
    };
  };
  return {
    watch: (firewall, eventsFile) => show(firewall, () => findTask(eventsFile)),
    wait: (firewall, what) => show(firewall, () => what),
    close: () => {
      clearInterval(timer);
      screen.write(clear);
    },
  };
}

const findTask = (file: string): string =>
  readEvents(file)
    .flatMap((event) => (event.event === 'task' ? event.task : []))
    .at(-1) ?? 'Ansible starts';
