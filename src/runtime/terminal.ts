/** What is asked of a stream before anything but text is written to it. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>;

/** What takes the terminal's last line back, so that another is drawn over it; empty where that is none, or a dumb one. */
export const clearLine = (screen: Screen = process.stderr, env: NodeJS.ProcessEnv = process.env): string =>
  screen.isTTY && env['TERM'] !== 'dumb' ? '\r\u001b[K' : '';

/** FORCE_COLOR says yes (0: no), else NO_COLOR says no (no-color.org), else a terminal has colours. */
export function wantsColour(screen: Screen = process.stdout, env: NodeJS.ProcessEnv = process.env): boolean {
  const force = env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return screen.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** How wide a table may be: as the terminal, or 80 columns where there is none. */
export const widthOf = (screen: Screen = process.stdout): number => screen.columns || 80;
