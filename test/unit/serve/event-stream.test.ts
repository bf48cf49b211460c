import { expect } from 'chai';
import { makeEventStreams } from '#firebreak/serve/page/event-stream.js';
import type { App } from '#firebreak/runtime/app.js';
import { aConfig } from '../../fixtures.js';

/** A ledger that changes when the test says so, with the sessions that the test leaves in it. */
function makeStepped() {
  const sessions = new Set(['alice', 'bob']);
  const waiting: (() => void)[] = [];
  const stop = new AbortController();
  const ledger = {
    waitForChange: () => new Promise<void>((resolve) => waiting.push(resolve)),
    findWebSession: (hash: string) => Promise.resolve(sessions.has(hash) ? { hash } : undefined),
  };
  const app = { ledger, config: aConfig(), stop: stop.signal } as unknown as App; // all that the streams use of it
  return { streams: makeEventStreams({ app }), waiting, sessions, stop };
}

const textOf = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
  new TextDecoder().decode((await reader.read()).value);

describe('the event stream', () => {
  it('tells every page of a change, with one watcher for all', async () => {
    const { streams, waiting, stop } = makeStepped();
    const readers = [streams.open('alice'), streams.open('bob')].flatMap((each) => each?.getReader() ?? []);
    for (const reader of readers)
      expect(await textOf(reader)).to.match(/^retry: \d+\nid: 0\nevent: change\ndata:\n\n$/);
    expect(waiting).to.have.length(1);
    waiting[0]?.();
    for (const reader of readers) expect(await textOf(reader)).to.equal('id: 1\nevent: change\ndata:\n\n');
    stop.abort();
  });

  it('ends with its session, after a last refresh, and before others are refreshed', async () => {
    const { streams, waiting, sessions, stop } = makeStepped();
    const [alice, bob] = [streams.open('alice')?.getReader(), streams.open('bob')?.getReader()];
    await alice?.read();
    await bob?.read();
    sessions.delete('alice');
    waiting[0]?.();
    expect(alice && (await textOf(alice))).to.equal('event: change\ndata:\n\n');
    expect(await alice?.read()).to.deep.equal({ done: true, value: undefined });
    expect(streams.count()).to.equal(1);
    expect(bob && (await textOf(bob))).to.equal('id: 1\nevent: change\ndata:\n\n');
    stop.abort();
  });

  it('ends with a session that ends while the sessions are checked', async () => {
    const { streams, waiting, sessions, stop } = makeStepped();
    const alice = streams.open('alice')?.getReader();
    await alice?.read();
    waiting[0]?.();
    expect(alice && (await textOf(alice))).to.include('id: 1');
    expect(waiting).to.have.length(2); // it watches already
    sessions.delete('alice');
    waiting[1]?.();
    await alice?.read();
    expect(await alice?.read()).to.deep.equal({ done: true, value: undefined });
    stop.abort();
  });

  it('ends at once when the server stops, and opens no more', async () => {
    const { streams, stop } = makeStepped();
    const reader = streams.open('alice')?.getReader();
    await reader?.read();
    stop.abort();
    expect(await reader?.read()).to.deep.equal({ done: true, value: undefined });
    expect([streams.count(), streams.open('alice')]).to.deep.equal([0, undefined]);
  });

  it('has room for 200 pages, and again when one is closed', async () => {
    const { streams, stop } = makeStepped();
    const open = Array.from({ length: 200 }, () => streams.open('alice'));
    expect(streams.open('alice')).to.equal(undefined);
    await open[0]?.cancel();
    expect(streams.open('alice')).to.be.instanceOf(ReadableStream);
    stop.abort();
  });
});
