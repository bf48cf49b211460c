import { expect } from 'chai';
import { makeEventStreams } from '#firebreak/serve/page/event-stream.js';
import type { App } from '#firebreak/runtime/app.js';

/** A ledger that changes when the test says so. */
function makeStepped() {
  const waiting: (() => void)[] = [];
  const stop = new AbortController();
  const ledger = { waitForChange: () => new Promise<void>((resolve) => waiting.push(resolve)) };
  const app = { ledger, stop: stop.signal } as unknown as App; // all that the streams use of it
  return { streams: makeEventStreams({ app }), waiting, stop };
}

const textOf = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
  new TextDecoder().decode((await reader.read()).value);

describe('the event stream', () => {
  it('tells every page of a change, with one watcher for all', async () => {
    const { streams, waiting, stop } = makeStepped();
    const readers = [streams.open(), streams.open()].flatMap((each) => each?.getReader() ?? []);
    for (const reader of readers)
      expect(await textOf(reader)).to.match(/^retry: \d+\nid: 0\nevent: change\ndata:\n\n$/);
    expect(waiting).to.have.length(1);
    waiting[0]?.();
    for (const reader of readers) expect(await textOf(reader)).to.equal('id: 1\nevent: change\ndata:\n\n');
    stop.abort();
  });

  it('ends at once when the server stops, and opens no more', async () => {
    const { streams, stop } = makeStepped();
    const reader = streams.open()?.getReader();
    await reader?.read();
    stop.abort();
    expect(await reader?.read()).to.deep.equal({ done: true, value: undefined });
    expect([streams.count(), streams.open()]).to.deep.equal([0, undefined]);
  });

  it('has room for 200 pages, and again when one is closed', async () => {
    const { streams, stop } = makeStepped();
    const open = Array.from({ length: 200 }, () => streams.open());
    expect(streams.open()).to.equal(undefined);
    await open[0]?.cancel();
    expect(streams.open()).to.be.instanceOf(ReadableStream);
    stop.abort();
  });
});
