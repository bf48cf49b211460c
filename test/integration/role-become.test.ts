import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { runPlaybook, type Flow } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';

const flow: Flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', description: 'blocked' };

/** Takes sudo's options as Ansible gives them, asks for the password with its prompt, and notes what it runs. */
const sudo = `#!/bin/sh
here=$(dirname "$0")
prompt= quiet=
while [ $# -gt 0 ]; do
  case $1 in
    -p) prompt=$2; shift 2 ;;
    -u) shift 2 ;;
    -n) quiet=yes; shift ;;
    -*) shift ;;
    *) break ;;
  esac
done
if [ -e "$here/password" ]; then
  [ -z "$quiet" ] || { echo 'sudo: a password is required' >&2; exit 1; }
  printf '%s' "$prompt" >&2
  read -r word
  [ "$word" = "$(cat "$here/password")" ] || { echo 'Sorry, try again.' >&2; exit 1; }
fi
printf '%s\\n' "$*" >>"$here/sudo.log"
exec "$@"
`;

describe('a login that becomes root by sudo', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  let program: string;
  before(async () => {
    firewall = await startFirewall();
    program = path.join(firewall.root, 'usr/local/bin/sudo');
    writeFileSync(program, sudo);
    chmodSync(program, 0o755);
  });
  after(async () => {
    await firewall.stop();
  });

  const become = (): Record<string, unknown> => ({ ansible_become: true, ansible_become_exe: program });
  /** The lab's login is root already, and Ansible would not become what it is. */
  const environment = { ANSIBLE_BECOME_ALLOW_SAME_USER: 'true' };
  const aside = (name: string): string => path.join(path.dirname(program), name);

  it("edits as root and inside pfSense's lock, and needs no password where sudo asks for none", async () => {
    const run = await runPlaybook(firewall, { present: [flow], hostVars: become(), environment });
    expect(run.result().proven, run.text).to.be.true;
    const commands = readFileSync(aside('sudo.log'), 'utf8').trim();
    expect(commands.split('\n'), 'look, edit, load').to.have.length(3);
    expect(commands.match(/\/usr\/bin\/lockf -k -t 30 /g)).to.have.length(1);
    expect(firewall.hasCache(), 'what the reload has read is what stands in the file').to.be.true;
    expect(readFileSync(path.join(firewall.root, 'tmp/rules.debug'), 'utf8')).to.include('203.0.113.7');
  });

  it('gives sudo its password, and shows it to nobody', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'word-'));
    const file = path.join(folder, 'become');
    try {
      for (const name of [file, aside('password')]) writeFileSync(name, 'canary-5519\n', { mode: 0o600 });
      const run = await runPlaybook(firewall, {
        present: [{ ...flow, port: '443' }],
        hostVars: become(),
        environment: { ...environment, ANSIBLE_BECOME_PASSWORD_FILE: file },
        args: ['-vvv'],
      });
      expect(run.result().proven, run.text.slice(-3000)).to.be.true;
      expect(run.text).to.not.include('canary-5519');
      const other = { present: [{ ...flow, port: '80' }], hostVars: become() };
      const without = await runPlaybook(firewall, { ...other, environment });
      expect(without.error()?.code, without.text).to.equal('become_failed');
      expect(without.error()?.message).to.match(/^sudo does not let the login become root: set its password/);
    } finally {
      rmSync(folder, { recursive: true });
      if (existsSync(aside('password'))) rmSync(aside('password'));
    }
  });

  it('is refused where it becomes root in another way, before anything is touched', async () => {
    const run = await runPlaybook(firewall, {
      present: [{ ...flow, port: '8444' }],
      hostVars: { ansible_become: true, ansible_become_method: 'su' },
    });
    expect(run.error()).to.deep.equal({
      code: 'become_unsupported',
      message: 'become_method: the edit supports sudo only',
    });
    expect(firewall.readConfig()).to.not.include('<port>8444</port>');
  });
});
