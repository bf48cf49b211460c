import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '../../lab/package-root.js';

describe('the JSON Schema of the configuration', () => {
  it('is what the program checks (npm run schema makes it anew)', async () => {
    const { renderSchema } = (await import(path.join(packageRoot, 'scripts/schema.mjs'))) as {
      renderSchema: () => string;
    };
    const shipped = readFileSync(path.join(packageRoot, 'schema/firebreak.schema.json'), 'utf8');
    expect(shipped).to.equal(renderSchema());
  });
});
