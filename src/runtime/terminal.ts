/** The properties of a stream that decide what may be written besides text. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>;

/** The code that clears the terminal's last line; empty if the stream is not a terminal, or a dumb one. */
export const clearLine = (screen: Screen = process.stderr, env: NodeJS.ProcessEnv = process.env): string =>
  screen.isTTY && env['TERM'] !== 'dumb' ? '\r\u001b[K' : '';

/** FORCE_COLOR turns colours on (0: off), else NO_COLOR turns them off (no-color.org), else a terminal has colours. */
export function wantsColour(screen: Screen = process.stdout, env: NodeJS.ProcessEnv = process.env): boolean {
  const force = env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return screen.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** The maximum width of a table: that of the terminal, or 80 columns without one. */
export const widthOf = (screen: Screen = process.stdout): number => screen.columns || 80;
