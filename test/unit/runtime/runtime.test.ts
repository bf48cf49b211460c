import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { openLog } from '#firebreak/runtime/logger.js';
import { outliveCaller, watchSignals } from '#firebreak/runtime/shutdown.js';

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

describe('watchSignals', () => {
  it('aborts at the first signal, with its name, and exits at the second', () => {
    const host = new StandIn();
    let forced = 0;
    const { stop } = watchSignals(() => (forced += 1), host.asProcess);
    host.emit('SIGTERM', 'SIGTERM');
    expect(stop.reason).to.equal('SIGTERM');
    expect({ forced, exited: host.exited }).to.deep.equal({ forced: 0, exited: undefined });
    host.emit('SIGINT', 'SIGINT');
    expect({ forced, exited: host.exited }).to.deep.equal({ forced: 1, exited: 130 });
  });

  it('takes nothing more after release', () => {
    const host = new StandIn();
    const watch = watchSignals(undefined, host.asProcess);
    watch.release();
    expect(host.emit('SIGTERM', 'SIGTERM')).to.equal(false);
    expect(watch.stop.aborted).to.equal(false);
  });
});

describe('outliveCaller', () => {
  it('goes on after SIGHUP and a closed pipe, and fails for a disk that is full', () => {
    const host = new StandIn();
    outliveCaller(host.asProcess);
    expect(host.emit('SIGHUP')).to.equal(true);
    for (const code of ['EPIPE', 'EIO']) host.stdout.emit('error', Object.assign(new Error(code), { code }));
    expect(host.exitCode).to.equal(undefined);
    host.stderr.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(host.exitCode).to.equal(1);
  });
});

describe('openLog', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'log-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('has written every line once it is closed, as JSON, readable by its group at most', async () => {
    const file = path.join(folder, 'deep/firebreak.log');
    const log = openLog({ file, level: 'info' }, () => expect.fail('it can be written'));
    for (let line = 0; line < 200; line += 1) log.info('block settled', { line });
    await log.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).to.have.length(200);
    expect(JSON.parse(lines[199]!)).to.include({ line: 199, level: 'info', message: 'block settled' });
    expect(statSync(file).mode & 0o777).to.equal(0o640);
  });

  it('keeps to its level', async () => {
    const file = path.join(folder, 'firebreak.log');
    const log = openLog({ file, level: 'warn' }, () => undefined);
    log.info('no');
    log.warn('yes');
    await log.close();
    expect(readFileSync(file, 'utf8')).to.match(/^\{.*"yes".*\}\n$/);
  });

  it('says why it cannot be written, and lets the rest go on', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const complaints: string[] = [];
    const log = openLog({ file: path.join(folder, 'file/firebreak.log'), level: 'info' }, (text) =>
      complaints.push(text),
    );
    log.info('lost');
    await log.close();
    expect(complaints).to.have.length(1);
    expect(complaints[0]).to.match(
      /^log\.file: cannot write \S+\/firebreak\.log: a file is in the way; going on without a log$/,
    );
  });

  it('writes nothing where no file is named', async () => {
    const complaints: string[] = [];
    const log = openLog({ level: 'info' }, (text) => complaints.push(text));
    log.error('nowhere');
    await log.close();
    expect({ complaints, files: readdirSync(folder) }).to.deep.equal({ complaints: [], files: [] });
  });
});
