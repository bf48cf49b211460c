import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { startWarm, type WarmPlace } from '#firebreak/platforms/ansible/warm-runner.js';

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const pid = '{"pid":4000000}';
const heard = '{"heard":true}';

describe('a call of the warm runner', function () {
  this.timeout(20_000);
  let folder: string;
  let place: WarmPlace;
  let server: Server | undefined;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'call-'));
    mkdirSync(path.join(folder, 'warm'), { mode: 0o700 });
    place = { folder: path.join(folder, 'warm'), command: '/a', python: ['/b'], idleMs: 1 };
  });

  afterEach(async () => {
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const socket = (): string => path.join(place.folder, 'socket');

  /** A runner that answers each message with the next of these texts, and goes away after the last. */
  async function listen(...answers: string[]): Promise<void> {
    server = createServer((connection) => {
      let count = 0;
      connection.on('error', () => undefined);
      connection.on('data', () => {
        count += 1;
        connection.write(answers[count - 1] ?? '', () => count >= answers.length && connection.destroy());
      });
    });
    await new Promise<void>((resolve) => server?.listen(socket(), resolve));
    chmodSync(socket(), 0o600);
  }

  const call = () =>
    startWarm(place, {
      ...{ command: 'a', args: [], env: {}, folder, runId: 'x', stdoutFile: '/o', stderrFile: '/e', timeoutMs: 1 },
      stop: new AbortController().signal,
    });

  it('is cold where the runner refuses, says something else, or goes away', async () => {
    const cases: [string, string, boolean][] = [
      [lines(heard, '{"no":"another environment"}'), 'another environment', true],
      [
        lines(heard, '{"no":"the caller has another view of the system"}'),
        'the caller has another view of the system',
        false,
      ],
      [lines(heard, 'hello'), 'not the answer of a runner', false],
      [lines(heard, '{"pid":1}'), 'not the answer of a runner', false],
      [lines(heard, '{"pid":-2}'), 'not the answer of a runner', false],
      [lines(heard), 'the runner ended', true],
      ['', 'the runner ended', true],
    ];
    for (const [text, cold, isGone] of cases) {
      await listen(text);
      expect(await call(), text).to.deep.equal({ cold, isGone });
      await new Promise((resolve) => server?.close(resolve));
      server = undefined;
    }
  });

  it('is cold where nothing listens, and where others could have made the socket', async () => {
    expect(await call()).to.deep.equal({ cold: 'no runner is there', isGone: true });
    // Bound and left, as by a runner that was killed.
    const bind = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
    spawnSync('python3', ['-c', bind, socket()]);
    chmodSync(socket(), 0o600);
    expect(existsSync(socket())).to.equal(true);
    expect(await call()).to.deep.equal({ cold: 'no runner is there', isGone: true });
    rmSync(socket());
    await listen(lines(heard, pid));
    chmodSync(socket(), 0o660);
    expect(await call()).to.deep.equal({ cold: 'no runner is there', isGone: true });
    chmodSync(socket(), 0o600);
    chmodSync(place.folder, 0o770);
    expect(await call()).to.deep.equal({ cold: 'no runner is there', isGone: true });
  });

  it('ends with the code, or with -1 where the fork is killed before it has read "go"', async () => {
    for (const [answers, code] of [
      [[lines(heard, pid), lines('{"code":2}')], 2],
      [[lines(heard, pid), lines('hello')], -1],
      [[lines(heard, pid), ''], -1],
      [[lines(heard, pid)], -1],
    ] as const) {
      await listen(...answers);
      const running = await call();
      expect(running).to.include({ pid: 4000000 });
      expect('ended' in running && (await running.ended), answers.join()).to.equal(code);
      await new Promise((resolve) => server?.close(resolve));
      server = undefined;
    }
  });
});
