import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openLog } from '#firebreak/runtime/logger.js';
import { ignoreHangup, prepareStop } from '#firebreak/runtime/shutdown.js';

/** A process of which only what the code under test uses is there: events, streams, and an exit that is noted. */
class StandIn extends EventEmitter {
  readonly stdout = new EventEmitter();
  readonly stderr = new EventEmitter();
  exitCode: number | undefined;
  exited: number | undefined;

  exit(code: number): void {
    this.exited = code;
  }

  get asProcess(): NodeJS.Process {
    return this as unknown as NodeJS.Process; // the parts that are used are there
  }
}

describe('prepareStop', () => {
  it('leaves signals to the system until it catches them', () => {
    const host = new StandIn();
    const { stop } = prepareStop(host.asProcess);
    expect(host.emit('SIGTERM', 'SIGTERM')).to.equal(false);
    expect(stop.aborted).to.equal(false);
  });

  it('aborts at the first signal, with its name, and exits at the second', () => {
    const host = new StandIn();
    const { stop, catchSignals } = prepareStop(host.asProcess);
    catchSignals();
    catchSignals();
    host.emit('SIGTERM', 'SIGTERM');
    expect(stop.reason).to.equal('SIGTERM');
    expect(host.exited).to.equal(undefined);
    host.emit('SIGINT', 'SIGINT');
    expect(host.exited).to.equal(130);
  });

  it('keeps its listener where it catches signals already: one that arrives between two would be lost', () => {
    const host = new StandIn();
    const { catchSignals } = prepareStop(host.asProcess);
    catchSignals();
    host.once('removeListener', () => expect.fail('the listener was removed'));
    catchSignals();
    expect(host.listenerCount('SIGTERM')).to.equal(1);
  });

  it('catches nothing after release', () => {
    const host = new StandIn();
    const { stop, catchSignals, release } = prepareStop(host.asProcess);
    catchSignals();
    release();
    expect(host.emit('SIGTERM', 'SIGTERM')).to.equal(false);
    expect(stop.aborted).to.equal(false);
  });
});

describe('ignoreHangup', () => {
  it('goes on after SIGHUP, a closed pipe, and a full disk, and leaves the exit code as it is', () => {
    const host = new StandIn();
    ignoreHangup(host.asProcess);
    expect(host.emit('SIGHUP')).to.equal(true);
    for (const code of ['EPIPE', 'EIO']) host.stdout.emit('error', Object.assign(new Error(code), { code }));
    expect(host.exitCode).to.equal(undefined);
    host.stderr.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(host.exitCode).to.equal(undefined);
  });
});

type Settings = Parameters<typeof openLog>[0];

const settings = (changes: Partial<Settings> = {}): Settings => ({
  ...{ level: 'info', format: 'json', max_megabytes: 20, max_age: 30 * 24 * 3_600_000, keep: 10 },
  ...changes,
});

describe('openLog', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'log-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('has written every line once it is closed, as JSON, readable by its group at most', async () => {
    const file = path.join(folder, 'deep/firebreak.log');
    const log = openLog(settings({ file }), () => expect.fail('it can be written'));
    for (let line = 0; line < 200; line += 1) log.info('block settled', { line });
    await log.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).to.have.length(200);
    expect(JSON.parse(lines[199]!)).to.include({ line: 199, level: 'info', message: 'block settled' });
    expect(statSync(file).mode & 0o777).to.equal(0o640);
  });

  it('keeps to its level', async () => {
    const file = path.join(folder, 'firebreak.log');
    const log = openLog(settings({ file, level: 'warn' }), () => undefined);
    log.info('no');
    log.warn('yes');
    await log.close();
    expect(readFileSync(file, 'utf8')).to.match(/^\{.*"yes".*\}\n$/);
  });

  it('says why it cannot be written, and lets the rest go on', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const complaints: string[] = [];
    const lost: number[] = [];
    const log = openLog(
      settings({ file: path.join(folder, 'file/firebreak.log') }),
      (text) => complaints.push(text),
      (count) => lost.push(count),
    );
    log.info('lost');
    await log.close();
    expect(lost).to.deep.equal([1]);
    expect(complaints).to.have.length(1);
    expect(complaints[0]).to.match(
      /^log\.file: cannot write \S+\/firebreak\.log: a file is in the way; continuing without a log$/,
    );
  });

  it('loses lines where the disk is full, and nothing else: it says so once, and counts them', async () => {
    const complaints: string[] = [];
    const file = path.join(folder, 'firebreak.log');
    symlinkSync('/dev/full', file);
    const lost: number[] = [];
    const log = openLog(
      settings({ file, max_megabytes: 1000 }),
      (text) => complaints.push(text),
      (count) => lost.push(count),
    );
    for (let line = 0; line < 5; line += 1) log.info('block settled', { line });
    await log.close();
    expect(complaints).to.deep.equal([
      `log.file: cannot write ${file}: no space left on the disk; continuing without it`,
    ]);
    expect(lost).to.deep.equal([5]);
  });

  it('writes nothing where no file is named', async () => {
    const complaints: string[] = [];
    const log = openLog(settings(), (text) => complaints.push(text));
    log.error('nowhere');
    await log.close();
    expect({ complaints, files: readdirSync(folder) }).to.deep.equal({ complaints: [], files: [] });
  });

  const linesOf = (name: string): string[] => readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n');
  const write = async (text: string, changes: Partial<Settings>): Promise<void> => {
    const log = openLog(settings({ file: path.join(folder, 'firebreak.log'), ...changes }), (said) =>
      expect.fail(said),
    );
    log.info(text);
    await log.close();
  };

  it('writes text for people, each event in one line, whatever stands in it', async () => {
    const file = path.join(folder, 'firebreak.log');
    const log = openLog(settings({ file, format: 'text' }), (said) => expect.fail(said));
    log.warn('a\n2026-01-01T00:00:00.000Z info forged', { firewall: 'edge', reason: 'pf said\n"no"', none: null });
    await log.close();
    expect(readFileSync(file, 'utf8')).to.match(
      /^\S+Z warn a 2026-01-01T00:00:00\.000Z info forged firewall=edge reason="pf said\\n\\"no\\"" none=null\n$/,
    );
  });

  for (const format of ['json', 'text'] as const) {
    it(`puts a file aside that is too large or too old, and keeps the newest of those (${format})`, async () => {
      await write('first', { format });
      await write('second', { format });
      expect(readdirSync(folder)).to.deep.equal(['firebreak.log']);
      await write('third', { format, max_megabytes: 0.00001 });
      const [, aside = ''] = readdirSync(folder).sort();
      expect(aside).to.match(/^firebreak\.log\.\d+$/);
      expect(linesOf(aside).map((line) => /first|second|third/.exec(line)?.[0])).to.deep.equal(['first', 'second']);
      await write('fourth', { format, max_age: 0, keep: 1 });
      expect(readdirSync(folder)).to.have.length(2).and.not.include(aside);
      expect(linesOf('firebreak.log')[0]).to.include('fourth');
    });
  }

  it('goes on writing a file whose place aside is taken', async () => {
    const file = path.join(folder, 'firebreak.log');
    await write('first', {});
    mkdirSync(`${file}.${statSync(file).ino}`);
    await write('second', { max_age: 0 });
    expect(linesOf('firebreak.log')).to.have.length(2);
  });

  it('loses no line where many processes write and put aside at the same time', async function () {
    this.timeout(60_000);
    const code = `const { openLog } = await import(${JSON.stringify(import.meta.resolve('#firebreak/runtime/logger.js'))});
      for (let line = 0; line < 40; line += 1) {
        const log = openLog(JSON.parse(process.argv[1]), (said) => process.stdout.write(said));
        log.info(process.argv[2] + '-' + line);
        await log.close();
      }`;
    const file = path.join(folder, 'firebreak.log');
    const limits = JSON.stringify(settings({ file, max_megabytes: 0.0005, keep: 1000 }));
    const run = promisify(execFile);
    const ended = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => run(process.execPath, ['--input-type=module', '-e', code, limits, name])),
    );
    expect(ended.map(({ stdout }) => stdout)).to.deep.equal(['', '', '', '']);
    const names = readdirSync(folder);
    expect(names.length).to.be.greaterThan(3);
    const found = names.flatMap(linesOf).map((line) => (JSON.parse(line) as { message: string }).message);
    expect(found.length).to.equal(160);
    expect(new Set(found).size).to.equal(160);
  });
});
