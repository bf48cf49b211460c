import { expect } from 'chai';
import { DatabaseSync } from '@photostructure/sqlite';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openLedger } from '#firebreak/ledger/index.js';
import { makeLauncher, waitUntil, type Launcher } from '../lab/launcher.js';
import { startMailServer, type MailServer } from '../lab/mail-server.js';

describe('firebreak run', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let server: MailServer | undefined;

  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
  });

  afterEach(async () => {
    await server?.stop();
    server = undefined;
    launcher.remove();
  });

  const file = (): string => path.join(launcher.stateDir, 'ledger.db');

  function findLastExpire(): unknown {
    if (!existsSync(file())) return undefined;
    const database = new DatabaseSync(file(), { readOnly: true });
    try {
      return database.prepare("SELECT done_at FROM chore WHERE name = 'expire'").get();
    } catch {
      return undefined; // the schema is being created
    } finally {
      database.close();
    }
  }

  it('runs expire and sends what is queued, and ends with 0 on SIGTERM', async () => {
    server = await startMailServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
    const { port, received } = server;
    launcher.configure({ mail: { host: '127.0.0.1', port, from: 'a@example.org', to: ['soc@example.org'] } });
    const ledger = await openLedger({ file: file() });
    await ledger.queueMessage({ id: 'M1', kind: 'test', content: { subject: 'one', text: 'First.' } });
    await ledger.close();
    const { child, ended } = launcher.start(['run']);
    await waitUntil('the mail and expire', () => received.length > 0 && findLastExpire() !== undefined);
    child.kill('SIGTERM');
    const { exit, stdout, stderr } = await ended;
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    expect(stdout)
      .to.match(/^running: expire each minute/)
      .and.match(/stopped by SIGTERM\n$/);
    expect(received.map(({ mail }) => mail.subject)).to.deep.equal(['one']);
  });

  it('says once that changes are frozen, and goes on', async () => {
    await launcher.firebreak(['freeze', 'maintenance']);
    const { child, ended } = launcher.start(['run']);
    let printed = '';
    child.stdout?.on('data', (text: string) => (printed += text));
    await waitUntil('the line', () => printed.includes('maintenance'));
    child.kill('SIGINT');
    expect((await ended).exit).to.equal(0);
  });

  it('refuses to print one JSON document', async () => {
    const { exit, stdout } = await launcher.firebreak(['run', '--json']);
    expect(exit).to.equal(2);
    expect(stdout).to.include('run: has no end');
  });
});
