import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '../lab/package-root.js';

interface Texts {
  golden: string;
  renderTexts: () => string;
}

describe('the texts that a user meets', () => {
  it('stand in one file, to be read as a whole (node scripts/texts.mjs writes it)', async () => {
    const { golden, renderTexts } = (await import(path.join(packageRoot, 'scripts/texts.mjs'))) as Texts; // its exports
    expect(renderTexts()).to.equal(readFileSync(path.join(packageRoot, golden), 'utf8'));
  });
});
