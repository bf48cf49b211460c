import { closeSync, openSync, readSync } from 'node:fs';

const chunkBytes = 1024 * 1024;

/** No line of ours is longer; the rest of a longer one is skipped. */
const maxLine = 4 * chunkBytes;

/**
 * Reads a file of any size line by line; empty lines are skipped.
 * @param range where to begin, perhaps in the middle of a line, and where to end
 * @throws the file system's own error
 */
export function* readLines(file: string, { from: begin = 0, to = Infinity } = {}): Generator<string, void, undefined> {
  const opened = openSync(file, 'r');
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let begun = Buffer.alloc(0);
    for (let at = begin; at < to;) {
      const length = readSync(opened, chunk, 0, Math.min(chunk.length, to - at), at);
      if (length === 0) break;
      at += length;
      let from = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1 && end < length; end = chunk.indexOf(0x0a, from)) {
        const line = Buffer.concat([begun, chunk.subarray(from, end)]).toString('utf8');
        if (line !== '') yield line;
        begun = Buffer.alloc(0);
        from = end + 1;
      }
      begun = Buffer.concat([begun, chunk.subarray(from, length)]).subarray(0, maxLine);
    }
    if (begun.length > 0) yield begun.toString('utf8');
  } finally {
    closeSync(opened);
  }
}
