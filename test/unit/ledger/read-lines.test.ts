import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readLines } from '#firebreak/ledger/read-lines.js';

const megabyte = 1024 * 1024;

describe('a file read line by line', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lines-'));
    file = path.join(folder, 'lines');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives each line once, also across the pieces that are read, and skips empty ones', () => {
    const lines = ['é'.repeat(megabyte - 1), 'b', 'c'.repeat(3 * megabyte), 'without an end'];
    writeFileSync(file, `\n${lines.join('\n\n')}`);
    expect([...readLines(file)]).to.deep.equal(lines);
  });

  it('begins and ends where it is told', () => {
    writeFileSync(file, 'one\ntwo\nthree\n');
    expect([...readLines(file, { to: 8 })]).to.deep.equal(['one', 'two']);
    expect([...readLines(file, { from: 2 })]).to.deep.equal(['e', 'two', 'three']);
  });

  it('cuts a line that is longer than any of ours', () => {
    writeFileSync(file, `${'x'.repeat(9 * megabyte)}\nnext\n`);
    const [long = '', next] = [...readLines(file)];
    expect(long.length).to.be.at.most(5 * megabyte);
    expect(next).to.equal('next');
  });
});
