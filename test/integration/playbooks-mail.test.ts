import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { runPlaybook, type PlaybookRun } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';

const words = { sourceip: '203.0.113.7', destinationip: '192.168.1.10', destinationport: '22' };

/** Stands in for the collection, which is no part of ansible-core: its module's options, and a mail really sent. */
const mailModule = `#!/usr/bin/python
import smtplib
from email.message import EmailMessage
from ansible.module_utils.basic import AnsibleModule

names = {name: {"type": "str", "required": True} for name in ("host", "from", "to", "subject", "body")}
module = AnsibleModule(argument_spec=dict(names, port={"type": "int", "required": True}))
letter = EmailMessage()
for name in ("from", "to", "subject"):
    letter[name] = module.params[name]
letter.set_content(module.params["body"])
with smtplib.SMTP(module.params["host"], module.params["port"]) as smtp:
    smtp.send_message(letter)
module.exit_json(msg="Mail sent successfully")
`;

describe('a playbook that fails with report_to set', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  let server: SMTPServer;
  let collections: string;
  let port: number;
  let mails: ParsedMail[];

  before(async () => {
    firewall = await startFirewall();
    collections = mkdtempSync(path.join(tmpdir(), 'collections-'));
    const folder = path.join(collections, 'ansible_collections/community/general/plugins/modules');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'mail.py'), mailModule);
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
    await once(server.listen(0, '127.0.0.1'), 'listening');
    port = (server.server.address() as AddressInfo).port; // a TCP server's
  });
  after(async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(collections, { recursive: true });
    await firewall.stop();
  });
  beforeEach(() => {
    mails = [];
  });

  async function block(vars: object, args: string[] = [], path_ = collections): Promise<PlaybookRun> {
    return runPlaybook(firewall, {
      playbook: 'block',
      vars: { ...words, report_to: 'soc@example.org', report_host: '127.0.0.1', report_port: port, ...vars },
      args,
      environment: { ANSIBLE_COLLECTIONS_PATH: path_ },
    });
  }

  it('mails what failed, where, and why, and fails as it would without', async () => {
    const run = await block({ interface: 'opt3' });
    expect(run.code).to.equal(2);
    expect(run.error()?.code).to.equal('interface_disabled');
    expect(mails).to.have.length(1);
    expect(mails[0]?.subject).to.equal('Firebreak: edge: interface_disabled');
    expect(mails[0]?.text).to.match(
      /^Firewall: edge\nWhy: 203\.0\.113\.7 -> 192\.168\.1\.10 tcp\/22 on opt3: interface opt3 is disabled; /,
    );
    expect(mails[0]?.text).to.include('docs/pfsense.md');
  });

  it('mails nobody after a success or a dry run', async () => {
    expect((await block({})).code).to.equal(0);
    expect((await block({ interface: 'opt3' }, ['--check'])).error()?.code).to.equal('interface_disabled');
    expect(mails).to.deep.equal([]);
  });

  it('fails as it would without where the mail cannot be sent, or the collection is not there', async () => {
    const away = await block({ interface: 'opt3', report_port: 1 }, ['-v']);
    expect(away.error()?.code).to.equal('interface_disabled');
    expect(away.stdout).to.match(/127\.0\.0\.1:1 did not accept the mail: \[Errno \d+\] Connection refused/);
    const without = await block({ interface: 'opt3' }, ['-v'], tmpdir());
    expect(without.error()?.code).to.equal('interface_disabled');
    expect(without.stdout).to.include('community.general.mail is not installed: no mail was sent');
    expect(mails).to.deep.equal([]);
  });
});
