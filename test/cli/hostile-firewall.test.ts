import { copyFileSync, existsSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Ended, type Launcher } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';

/** How a firewall that somebody took over answers each call of a module (test/lab/hostile-python.py). */
type Mode = 'templates' | 'keys' | 'failed' | 'known code' | 'networks' | 'deep' | 'no JSON' | 'traceback' | 'endless';

const invalid = /the firewall did not answer as this role's modules do/;

describe('a firewall that somebody took over', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;
  let canary: string;
  let python: string;

  before(async () => {
    edge = await startFirewall();
  });

  after(() => edge.stop());

  beforeEach(() => {
    launcher = makeLauncher({ edge: settingsOf(edge) });
    canary = path.join(launcher.folder, 'canary');
    python = path.join(launcher.folder, 'hostile-python');
    copyFileSync(path.join(packageRoot, 'test/lab/hostile-python.py'), python);
    writeFileSync(python, `#!/usr/bin/python3\n${readFileSync(python, 'utf8')}`);
    chmodSync(python, 0o755);
  });

  afterEach(() => {
    expect(existsSync(canary), 'it ran a command on this host').to.equal(false);
    launcher.remove();
  });

  /** From now on the firewall answers so. Its date says something else too, for the doctor's look without Python. */
  function takeOver(mode: Mode, timeout = '60s'): void {
    writeFileSync(path.join(launcher.folder, 'hostile.json'), JSON.stringify({ mode, canary }));
    const date = path.join(launcher.folder, 'date');
    writeFileSync(date, `#!/bin/sh\nprintf '%s' "{{ lookup('pipe', 'touch ${canary}') }}"\n`, { mode: 0o755 });
    const settings = settingsOf(edge);
    const vars = { ...(settings['vars'] as object), ansible_python_interpreter: python, pfsense_date: date };
    launcher.configure({ firewalls: { edge: { ...settings, vars } }, ansible: { timeout } });
  }

  function expectClean({ stdout, stderr }: Ended): void {
    expect(`${stdout}${stderr}`).not.to.match(/[\x1b\u202e]|\{\{/); // eslint-disable-line no-control-regex -- what is looked for
    expect(stderr).not.to.match(/unexpected|Traceback/);
  }

  const block = ['block', '203.0.113.7', '192.168.1.10', '22'];

  for (const mode of ['templates', 'failed', 'networks', 'deep', 'no JSON', 'traceback'] as const) {
    it(`fails a block with one fixed sentence where it answers with: ${mode}`, async () => {
      takeOver(mode);
      const ended = await launcher.firebreak(block);
      expectClean(ended);
      expect(ended.exit).to.equal(5);
      expect(ended.stdout).to.match(invalid);
    });
  }

  it('fails a block with a code of ours and its own words made harmless, where it gives such a code', async () => {
    takeOver('known code');
    const ended = await launcher.firebreak(block);
    expectClean(ended);
    expect(ended.exit).to.equal(5);
    expect(ended.stdout).to.match(/\(\( lookup/);
  });

  it('adds no fact, no host, no statistics and no wish of its own to a run', async () => {
    takeOver('keys');
    const ended = await launcher.firebreak(block);
    expectClean(ended);
    expect(ended.exit).to.equal(0);
    const events = readFileSync(path.join(launcher.runs()[0] ?? '', 'events.jsonl'), 'utf8');
    expect(events).not.to.match(/lookup|mailed/);
    await launcher.firebreak(['unblock', '203.0.113.7']);
  });

  it('is ended by the time limit where its answer has 300 MB, and keeps nothing going', async () => {
    takeOver('endless', '10s');
    const ended = await launcher.firebreak(block);
    expectClean(ended);
    expect(ended.exit).to.be.oneOf([5, 6]);
  });

  for (const mode of ['templates', 'failed'] as const) {
    it(`runs nothing here, whatever it is asked, where it answers with: ${mode}`, async () => {
      expect((await launcher.firebreak(block)).exit).to.equal(0);
      takeOver(mode);
      const reconcile = await launcher.firebreak(['reconcile', '--fix']);
      expectClean(reconcile);
      expect(reconcile.exit).to.equal(5);
      const doctor = await launcher.firebreak(['doctor']);
      expectClean(doctor);
      expect(doctor.exit).to.equal(5);
      writeFileSync(path.join(launcher.folder, 'list'), '203.0.113.8\n203.0.113.9\n');
      const list = await launcher.firebreak(['import', 'list', '--dst-ip=192.168.1.10', '--dst-port=22']);
      expectClean(list);
      expect(list.exit).to.equal(5);
      const unblock = await launcher.firebreak(['unblock', '203.0.113.7']);
      expectClean(unblock);
      expect(unblock.exit).to.equal(5);
      expect(unblock.stdout).to.match(invalid);
    });
  }
});
