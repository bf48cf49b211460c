import { expect } from 'chai';
import { onceEach } from '#firebreak/app/drain.js';

describe('drain', () => {
  it('prints a warning once, however often it finds the same while it sends', () => {
    const printed: string[] = [];
    const warn = onceEach((message) => void printed.push(message));
    for (const message of ['edge: busy', 'inner: busy', 'edge: busy']) warn(message);
    expect(printed).to.deep.equal(['edge: busy', 'inner: busy']);
  });
});
