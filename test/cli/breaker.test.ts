import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';

const alarm = (last: number): string[] => ['block', `203.0.113.${last}`, '192.168.1.10', '22'];

describe('the circuit breaker', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;
  let server: SMTPServer;
  let mails: ParsedMail[];

  beforeEach(async () => {
    mails = [];
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, _session, done) => {
        simpleParser(stream).then((mail) => {
          mails.push(mail);
          done();
        }, done);
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo; // it listens on TCP
    edge = await startFirewall();
    launcher = makeLauncher(
      { edge: settingsOf(edge) },
      { mail: { host: '127.0.0.1', port, from: 'firebreak@example.org', to: ['soc@example.org'] } },
    );
  });

  afterEach(async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    launcher.remove();
    await edge.stop();
  });

  it('holds what is too much for one destination, and asks once by mail, with the top sources', async () => {
    launcher.configure({ policy: { limits: { per_destination: 2 } } });
    for (const last of [1, 2]) expect((await launcher.json([...alarm(last), '--no-wait'])).exit).to.equal(0);
    for (const last of [3, 4]) {
      const { exit, answer } = await launcher.json(alarm(last));
      expect(exit).to.equal(7);
      expect(answer.blocks[0]?.reason).to.match(/towards 192\.168\.1\.10 .*policy\.limits\.per_destination/);
    }
    expect((await launcher.json(['block', '203.0.113.5', '192.168.1.11', '22', '--no-wait'])).exit).to.equal(0);
    await waitUntil('the mail', () => mails.length > 0);
    expect(mails).to.have.length(1);
    expect(mails[0]?.subject).to.equal(
      '[firebreak] HELD: 203.0.113.3 -> 192.168.1.10 tcp/22 on wan waits for approval',
    );
    expect(mails[0]?.text)
      .to.match(/held now +1\n/)
      .and.match(/203\.0\.113\.2 {2}1 block, 1 alarm\n/)
      .and.match(/192\.168\.1\.10 {2}3 blocks/)
      .and.include('firebreak approve --all');
    expect(mails[0]?.html).to.include('towards 192.168.1.10').and.include('firebreak approve --all');
    const approved = await launcher.firebreak(['approve', '--all']);
    expect(approved.exit).to.equal(0);
    expect((await edge.loadedRules()).filter((rule) => rule.includes('203.0.113.'))).to.have.length(5);
    await launcher.json(alarm(6));
    await waitUntil('the second mail', () => mails.length > 1); // nothing was held any more, and so this is news
  });

  it('freezes all changes, keeps what comes, and carries it after unfreeze', async () => {
    expect((await launcher.json(alarm(1))).exit).to.equal(0);
    const { exit, stdout } = await launcher.firebreak(['freeze', 'the', 'firewall', 'is', 'changed']);
    expect(exit).to.equal(0);
    expect(stdout).to.match(
      /^all changes have been frozen since .* by .* \(the firewall is changed\); run firebreak unfreeze/,
    );
    const before = edge.readConfig();

    const blocked = await launcher.firebreak(alarm(2));
    expect(blocked.exit).to.equal(7);
    expect(blocked.stdout).to.match(
      /NOT blocked 203\.0\.113\.2 .*: all changes have been frozen .*; queued until firebreak unfreeze/,
    );
    expect((await launcher.firebreak([...alarm(3), '--no-wait'])).exit).to.equal(7);
    const released = await launcher.firebreak(['unblock', '203.0.113.1']);
    expect(released.exit).to.equal(7);
    expect(released.stdout).to.match(/NOT released 203\.0\.113\.1 .*frozen/);
    expect((await launcher.firebreak(['drain'])).stdout).to.match(/^nothing was applied: all changes have been frozen/);
    expect(edge.readConfig()).to.equal(before);
    expect(launcher.runs()).to.have.length(1);

    const unfrozen = await launcher.firebreak(['unfreeze']);
    expect(unfrozen.exit).to.equal(0);
    const rules = (await edge.loadedRules()).join();
    expect(rules).to.include('203.0.113.2').and.include('203.0.113.3').and.not.include('from 203.0.113.1 ');
    expect((await launcher.firebreak(['unfreeze'])).stdout).to.equal('nothing was frozen\n');
  });
});
