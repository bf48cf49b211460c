import { expect } from 'chai';
import { clearLine, wantsColour, widthOf } from '#firebreak/runtime/terminal.js';

const terminal = { isTTY: true, columns: 120 };
const pipe = { isTTY: false, columns: 0 };

describe('a terminal', () => {
  for (const [env, onTerminal, onPipe] of [
    [{}, true, false],
    [{ NO_COLOR: '1' }, false, false],
    [{ NO_COLOR: '' }, true, false],
    [{ FORCE_COLOR: '1' }, true, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, true],
    [{ FORCE_COLOR: '0' }, false, false],
    [{ TERM: 'dumb' }, false, false],
  ] as const) {
    it(`with ${JSON.stringify(env)} has ${onTerminal ? '' : 'no '}colours, a pipe ${onPipe ? 'too' : 'none'}`, () => {
      expect([wantsColour(terminal, env), wantsColour(pipe, env)]).to.deep.equal([onTerminal, onPipe]);
    });
  }

  it('is as wide as it says, and 80 columns where there is none', () => {
    expect([widthOf(terminal), widthOf(pipe)]).to.deep.equal([120, 80]);
  });

  it('is drawn over only where there is one that can be', () => {
    expect([clearLine(terminal, {}), clearLine(terminal, { TERM: 'dumb' }), clearLine(pipe, {})]).to.deep.equal([
      '\r\u001b[K',
      '',
      '',
    ]);
  });
});
