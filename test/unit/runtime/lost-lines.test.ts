import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { configSchema } from '#firebreak/config/schema.js';
import { checkLog } from '#firebreak/doctor/state.js';
import { lostLinesFile, readLostLines, recordLostLines } from '#firebreak/runtime/lost-lines.js';

describe('lost lines of the log', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lost-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const check = (): ReturnType<typeof checkLog> =>
    checkLog(
      configSchema.parse({
        ...{ state_dir: folder, log: { file: '/var/log/firebreak.log' } },
        firewalls: { edge: { host: '192.0.2.1' } },
      }),
    );

  it('add up over processes, and doctor tells since when and how to mend it', () => {
    const file = lostLinesFile(folder);
    expect(check().map(({ state }) => state)).to.deep.equal(['ok']);
    for (const lines of [3, 1, 38]) expect(recordLostLines(file, lines)).to.equal(true);
    expect(readLostLines(file)?.count).to.equal(42);
    const [found] = check();
    expect(found?.state).to.equal('note');
    expect(found?.detail).to.match(
      /^42 lines of \/var\/log\/firebreak\.log were lost since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d /,
    );
    expect(found?.fix).to.include(`delete ${file}`);
  });

  it('are not recorded where the folder cannot be written: the caller is told instead', () => {
    expect(recordLostLines('/dev/null/log-lines-lost', 1)).to.equal(false);
    expect(readLostLines('/dev/null/log-lines-lost')).to.equal(undefined);
  });
});
