import { expect } from 'chai';
import fc from 'fast-check';
import { auditStart, findBreaks, linkEntry, readLink, type AuditHead } from '#firebreak/core/audit.js';

function makeChain(count: number): { lines: string[]; end: AuditHead } {
  const lines: string[] = [];
  let head = auditStart;
  for (let index = 0; index < count; index += 1) {
    const linked = linkEntry({ event: 'alarm', by: 'a test', reason: `number ${index}` }, head, {
      at: '2026-01-01T00:00:00Z',
    });
    lines.push(linked.line);
    head = linked.head;
  }
  return { lines, end: head };
}

describe('the audit chain', () => {
  it('is whole as it was written, and so is none at all', () => {
    const { lines, end } = makeChain(5);
    expect(findBreaks(lines, end)).to.deep.equal([]);
    expect(findBreaks([], undefined)).to.deep.equal([]);
  });

  it('is one JSON object a line, whatever is in it', () => {
    const hostile = '"}\n{"seq":1,"hash":"x"} \u2028 \x1b[2J __proto__';
    const { line, head } = linkEntry({ event: 'alarm', reason: hostile }, auditStart, { at: 'now' });
    expect(line).to.not.match(/[\n\x1b]/); // eslint-disable-line no-control-regex -- they must not be there
    expect(JSON.parse(line)).to.include({ seq: 1, reason: hostile });
    expect(readLink(line)).to.include(head);
  });

  const { lines, end } = makeChain(6);
  const forged = linkEntry({ event: 'alarm', reason: 'forged' }, readLink(lines[2]!)!, { at: 'now' }).line;
  for (const [title, damaged, told] of [
    ['a changed word', lines.with(2, lines[2]!.replace('number 2', 'number 9')), /^line 3 was changed/],
    ['a line taken out', lines.toSpliced(2, 1), /entries 3 to 3 are missing or changed/],
    ['the first line taken out', lines.slice(1), /entries 1 to 1 are missing or changed/],
    ['the end cut off', lines.slice(0, 4), /truncated: entries 5 to 6 are missing/],
    ['all of it gone', [], /entries 1 to 6 are missing/],
    ['half a line', lines.with(5, lines[5]!.slice(0, 40)), /line 6 was changed/],
    [
      'two lines in another order',
      [...lines.slice(0, 2), lines[3]!, lines[2]!, ...lines.slice(4)],
      /entry 3, which came/,
    ],
    ['a line of its own making put in', lines.toSpliced(3, 0, forged), /does not follow|which came earlier/],
    ['a line in place of another', lines.with(3, forged), /line 5 does not follow the line before it/],
    [
      'a line put at the end',
      [...lines, linkEntry({ event: 'x' }, end, { at: 'now' }).line],
      /does not know entries 7 to 7/,
    ],
    ['a whole chain made anew', makeChain(5).lines.concat(forged.replace('x', 'y')), /line 6|truncated/],
    ['text', [...lines, 'hello'], /line 7 was changed or is not an entry/],
  ] as const) {
    it(`tells ${title}`, () => {
      expect(findBreaks(damaged, end).join('\n')).to.match(told);
    });
  }

  it('tells that all was written anew from some line on, hashes and all', () => {
    const other = linkEntry({ event: 'alarm', reason: 'never happened' }, readLink(lines[4]!)!, { at: 'now' }).line;
    expect(findBreaks(lines.with(5, other), end)).to.deep.equal(['the last entry, 6, is not the one in the ledger']);
  });

  describe('with a key', () => {
    const key = Buffer.alloc(32, 1);
    const chain = (
      count: number,
      keyed: Buffer | undefined,
      from = auditStart,
    ): { lines: string[]; end: AuditHead } => {
      const made: string[] = [];
      let head = from;
      for (let index = 0; index < count; index += 1) {
        const linked = linkEntry({ event: 'alarm', reason: `number ${index}` }, head, { at: 'now', key: keyed });
        made.push(linked.line);
        head = linked.head;
      }
      return { lines: made, end: head };
    };

    it('is whole, also where it goes on from lines that release 0.1 wrote without one', () => {
      const old = chain(3, undefined);
      const { lines: more, end: last } = chain(3, key, old.end);
      expect(findBreaks([...old.lines, ...more], last, { key, isKeyed: true })).to.deep.equal([]);
    });

    it('tells a chain that was made anew with no key, with another one, or in part', () => {
      const bare = chain(4, undefined);
      expect(findBreaks(bare.lines, bare.end, { key }).join()).to.match(/no line was written with this host's key/);
      const other = chain(4, Buffer.alloc(32, 2));
      expect(findBreaks(other.lines, other.end, { key })).to.have.length(4);
      const ours = chain(2, key);
      const tail = chain(2, undefined, ours.end);
      expect(findBreaks([...ours.lines, ...tail.lines], tail.end, { key })).to.deep.equal([
        "line 3 was not written with this host's key",
        "line 4 was not written with this host's key",
      ]);
    });

    it('tells that the key is gone, and that all is gone under a ledger that has blocks', () => {
      const { lines: kept, end: last } = chain(2, key);
      expect(findBreaks(kept, last, {}).join()).to.match(/the key of this log is missing/);
      expect(findBreaks([], undefined, { isKeyed: true }).join()).to.match(/the key of this log is missing/);
      expect(findBreaks([], undefined, { oldestBlock: 0 }).join()).to.match(
        /has blocks since 1970-01-01.*the log has no entries/,
      );
      expect(findBreaks([], undefined, {})).to.deep.equal([]);
    });

    it('is compared with what was told elsewhere', () => {
      const { lines: kept, end: last } = chain(4, key);
      const anchor = { seq: 3, hash: readLink(kept[2]!)!.hash.slice(0, 16) };
      expect(findBreaks(kept, last, { key, anchor })).to.deep.equal([]);
      const anew = chain(4, key);
      const changed = [...anew.lines.slice(0, 2), ...chain(2, key, { seq: 2, hash: 'f'.repeat(64) }).lines];
      expect(findBreaks(changed, last, { key, anchor }).join()).to.match(/entry 3 does not match the anchor/);
    });
  });

  it('lets no change of a byte pass', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(500), fc.constantFrom('x', '0', ' ', '}', '\\'), (row, column, letter) => {
        const line = lines[row]!;
        const at = column % line.length;
        const changed = line.slice(0, at) + letter + line.slice(at + 1);
        return changed === line || findBreaks(lines.with(row, changed), end).length > 0;
      }),
    );
  });
});
