import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readLastEntries } from '#firebreak/app/verify-audit.js';
import { auditStart, linkEntry } from '#firebreak/core/audit.js';
import { aConfig } from '../../fixtures.js';

describe('the last entries of the audit log', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fbt-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes entries 1 to `many` to files of `perFile` entries. */
  function write(many: number, perFile: number): void {
    let head = auditStart;
    for (let file = 1; head.seq < many; file += 1) {
      let text = '';
      for (let entry = 0; entry < perFile && head.seq < many; entry += 1) {
        const facts = { event: 'alarm', by: 'a test', block: '01K' };
        const linked = linkEntry(facts, head, { at: '2026-01-01T00:00:00.000Z', key: Buffer.alloc(32) });
        text += `${linked.line}\n`;
        head = linked.head;
      }
      const name = head.seq < many ? `audit.jsonl.${file}` : 'audit.jsonl';
      writeFileSync(path.join(folder, name), text);
    }
  }

  const read = (many: number) => readLastEntries(many, [], { config: aConfig({ state_dir: folder }) });

  const seqs = async (many: number): Promise<unknown[]> => (await read(many)).map(({ seq }) => seq);

  it('are in order, from as many files as needed', async () => {
    write(25, 10);
    expect(await seqs(2)).to.deep.equal([24, 25]);
    expect(await seqs(7)).to.deep.equal([19, 20, 21, 22, 23, 24, 25]);
    expect(await seqs(100)).to.deep.equal(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  it('are read in slices, between which a server does other work', async () => {
    write(20_000, 10_000);
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    try {
      expect(await read(20_000)).to.have.length(20_000);
      expect(turns).to.be.greaterThan(0);
    } finally {
      clearInterval(timer);
    }
  });
});
