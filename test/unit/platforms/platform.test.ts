import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import * as z from 'zod';
import { configSchema, type Config } from '#firebreak/config/schema.js';
import { faultExits, failWith, ok } from '#firebreak/core/check.js';
import { checkFirewall } from '#firebreak/doctor/firewall.js';
import { renderInventory } from '#firebreak/platforms/ansible/render.js';
import { fitToPlatform } from '#firebreak/platforms/fit.js';
import { findCauseText, platformOf } from '#firebreak/platforms/index.js';
import type { Flow } from '#firebreak/core/flow.js';
import type { Platform } from '#firebreak/platforms/platform.js';
import { aFlow } from '../../fixtures.js';

const flow = aFlow();

/** A platform that nothing but this test knows. */
const toaster: Platform<{ slots: number }> = {
  role: 'toaster',
  vars: { ansible_python_interpreter: '/bread/python', toaster_slots: 2 },
  maxDescription: 8,
  problemsOf: ({ protocol }) =>
    protocol === 'icmp' ? [{ path: 'protocol', message: 'a toaster would let icmp pass' }] : [],
  causes: { crumbs: 'needs cleaning' },
  doctor: {
    checks: ['slots', 'lever'],
    facts: z.object({ slots: z.int() }),
    checksOf: ({ slots }, { user }) => [
      slots > 0 ? ok('slots', `${slots}`) : failWith(faultExits.firewall)('slots', 'none', 'buy another'),
      ok('lever', `moved by ${user}`),
    ],
  },
};

function configure(edge: object, ansible: object = {}): Config {
  return configSchema.parse({ firewalls: { edge: { host: '127.0.0.1', ...edge } }, ansible });
}

describe('a platform', () => {
  it('gives the inventory its variables, which those of the configuration override', () => {
    const firewall = configure({ vars: { toaster_slots: 4 } }).firewalls['edge']!;
    const text = renderInventory({ name: 'edge', firewall, sshArgs: [], platform: toaster });
    const unsafe = { tag: '!unsafe', resolve: (value: string) => value };
    const inventory = parse(text, { customTags: [unsafe] }) as { firewalls: { hosts: Record<string, object> } };
    expect(inventory.firewalls.hosts['edge']).to.deep.include({
      ansible_python_interpreter: '/bread/python',
      toaster_slots: 4,
    });
  });

  it('says how long a description may be', () => {
    expect(fitToPlatform(toaster, { flow, description: 'blocked by test' })).to.deep.equal({
      description: 'blocked',
      refusal: undefined,
    });
  });

  it('says what it would not block', () => {
    const icmp = { ...flow, protocol: 'icmp', port: '' } as const;
    expect(fitToPlatform(toaster, { flow: icmp, description: '' }).refusal).to.equal(
      'refused: protocol: a toaster would let icmp pass',
    );
  });

  it('has words for its error codes, and none for the names that every object has', () => {
    expect(findCauseText('crumbs', [toaster])).to.equal('needs cleaning');
    expect(findCauseText('crumbs')).to.equal(undefined);
    expect(findCauseText('constructor', [toaster])).to.equal(undefined);
  });
});

describe('the doctor, of a firewall of any platform,', () => {
  let folder: string;
  let server: Server;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'platform-'));
    server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  /** A stand-in for ansible-playbook that reports this for each playbook. */
  function writeAnsible(results: Record<string, object>): string {
    const file = path.join(folder, 'ansible-playbook');
    const cases = Object.entries(results).map(([playbook, firebreak]) => {
      const hosts = { edge: { failures: 0, unreachable: 0 } };
      const event = JSON.stringify({ event: 'stats', hosts, custom: { edge: { firebreak } } });
      return `*/${playbook}) echo '${event}' >>"$FIREBREAK_EVENTS" ;;`;
    });
    const script = [
      '#!/bin/sh',
      `echo "$*" >${folder}/arguments`,
      'for last; do :; done', // the playbook
      'case "$last" in',
      ...cases,
      'esac',
    ];
    writeFileSync(file, `${script.join('\n')}\n`, { mode: 0o700 });
    return file;
  }

  async function check(results: Record<string, object>) {
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const config = configure({ port, user: 'baker' }, { playbook_command: writeAnsible(results), warm: 0 });
    const firewall = config.firewalls['edge']!;
    const stop = new AbortController().signal;
    const watch = () => () => undefined;
    const checks = await checkFirewall({ name: 'edge', firewall, config, stop, watch, platform: toaster });
    return checks.map(({ name, state, detail }) => `${state} ${name}: ${detail}`).slice(1);
  }

  const clean = { added: [], present: [], removed: [], absent: [], proven: true };

  it('shows the checks of its platform between the login and the dry run, and runs its role', async () => {
    expect(await check({ 'doctor.yml': { slots: 2 }, 'apply.yml': clean })).to.deep.equal([
      'ok host key: matches the recorded key',
      'ok login: as baker',
      'ok slots: 2',
      'ok lever: moved by baker',
      'ok dry run: block 203.0.113.253 -> 198.51.100.253 tcp/22 on wan succeeded',
    ]);
    expect(readFileSync(path.join(folder, 'arguments'), 'utf8')).to.include(
      '--extra-vars {"firebreak_platform":"toaster"}',
    );
  });

  it('makes no dry run where one of them fails', async () => {
    const checks = await check({ 'doctor.yml': { slots: 0 } });
    expect(checks.slice(-3)).to.deep.equal([
      'wrong slots: none',
      'ok lever: moved by baker',
      'skipped dry run: fix the problems above first',
    ]);
  });

  it('takes no answer that is not what the platform reports, and skips its checks by name', async () => {
    const checks = await check({ 'doctor.yml': { slots: 'many' } });
    expect(checks[0]).to.match(/^wrong login: /);
    expect(checks.slice(1)).to.deep.equal([
      'skipped slots: needs the login',
      'skipped lever: needs the login',
      'skipped dry run: needs the login',
    ]);
  });
});

describe('pfSense', () => {
  const pfsense = platformOf({ platform: 'pfsense' });
  const problemsOf = (changes: Partial<Flow>): string[] =>
    pfsense.problemsOf({ ...flow, ...changes }).map(({ path: at }) => at);

  it('keeps 52 characters of a description', () => {
    expect(fitToPlatform(pfsense, { flow, description: 'x'.repeat(80) }).description).to.have.length(52);
  });

  it('would load no rule whose family is not that of its addresses', () => {
    expect(problemsOf({ ipprotocol: 'inet6' })).to.deep.equal(['source', 'destination']);
    expect(problemsOf({ destination: '2001:db8::1' })).to.deep.equal(['destination']);
  });

  it('would ignore a port of a protocol that has none', () => {
    expect(problemsOf({ protocol: 'any' })).to.deep.equal(['port']);
    expect(problemsOf({ protocol: 'icmp', port: '' })).to.deep.equal([]);
    expect(problemsOf({ protocol: 'tcp/udp' })).to.deep.equal([]);
  });

  describe('by the doctor', () => {
    const firewall = configure({ become_user: 'admin' }).firewalls['edge']!;
    const facts = {
      clock_ahead: '-1',
      python: '3.11.9',
      python_path: '/usr/local/bin/python3.11',
      user: 'root',
      user_error: '',
      status_code: '',
      status_message: '',
      rules: '1',
      reload: '/etc/rc.filter_configure_sync',
      missing: [],
    };

    function check(changes: object): string[] {
      const { doctor } = pfsense;
      const checks = doctor.checksOf(doctor.facts.parse({ ...facts, ...changes }), firewall);
      expect(checks.map(({ name }) => name)).to.deep.equal(doctor.checks);
      return checks.filter(({ state }) => state !== 'ok').map(({ name, state }) => `${state} ${name}`);
    }

    it('is well', () => {
      expect(check({})).to.deep.equal([]);
    });

    it('needs Python and the user before the rules are read', () => {
      expect(check({ python: '' })).to.deep.equal(['wrong Python', 'skipped config.xml', 'skipped pfctl']);
      expect(check({ user: '', user_error: 'a password is required' })).to.deep.equal([
        'wrong user',
        'skipped config.xml',
        'skipped pfctl',
        'skipped reload',
      ]);
    });

    it('tells a configuration that cannot be read from a pf that does not answer', () => {
      expect(check({ status_code: 'config_missing', status_message: 'no file' })).to.deep.equal([
        'wrong config.xml',
        'skipped pfctl',
      ]);
      expect(check({ status_code: 'pfctl_failed', status_message: 'no answer' })).to.deep.equal(['wrong pfctl']);
      expect(check({ status_code: 'pf_disabled', status_message: 'it is off' })).to.deep.equal(['wrong pfctl']);
      expect(check({ status_code: 'edit_refused', status_message: 'it would not' })).to.deep.equal([
        'wrong config.xml',
      ]);
    });

    it('misses a program, and warns of a clock that is off', () => {
      expect(check({ missing: ['lockf'], clock_ahead: 31 })).to.deep.equal(['wrong reload', 'note clock']);
    });
  });
});
