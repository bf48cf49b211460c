import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '#firebreak/config/load.js';
import { locateConfig } from '#firebreak/config/locate.js';
import { findPolicy } from '#firebreak/config/policy-in-force.js';
import { selectFirewalls } from '#firebreak/config/select.js';
import { FirebreakError } from '#firebreak/core/errors.js';

describe('the configuration', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'config-'));
    file = path.join(folder, 'firebreak.yml');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function load(text: string, mode = 0o600): ReturnType<typeof loadConfig> {
    writeFileSync(file, text);
    chmodSync(file, mode);
    return loadConfig(file);
  }

  function findError(act: () => unknown): FirebreakError {
    try {
      act();
    } catch (error) {
      if (error instanceof FirebreakError) return error;
      throw error;
    }
    throw new Error('it was expected to be refused');
  }

  const problemsOf = (text: string): string[] => findError(() => load(text)).message.split('\n');

  it('needs no more than one firewall with a host', () => {
    const config = load('firewalls: {edge: {host: 192.0.2.1}}');
    expect(config.firewalls['edge']).to.include({ platform: 'pfsense', port: 22, user: 'root', become: false });
    expect(config.ansible).to.deep.include({ timeout: 60_000, batch: 1000, keep_runs: 200 });
    expect(config.defaults).to.include({ type: 'block', protocol: 'tcp', duration: 24 * 60 * 60 * 1000 });
    expect(config.policy.limits).to.deep.include({ per_minute: 60, active: 10_000, hold: true });
    expect(config.state_dir).to.equal('/var/lib/firebreak');
  });

  it('is told of an alias that has no anchor, and of one that would grow without end', () => {
    expect(problemsOf('firewalls: *nobody')[0]).to.match(/^firebreak\.yml: .*alias.*nobody/i);
    const laughs = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((name, index) => {
        const inner = `*${'abcdefgh'.charAt(index)}`;
        return `${name}: &${name} [${Array(9).fill(inner).join(',')}]`;
      }),
    ];
    expect(problemsOf(laughs.join('\n'))[0]).to.match(/^firebreak\.yml: .*alias/i);
  });

  it('reports broken YAML as one error, with its place', () => {
    const problems = problemsOf('firewalls:\n  edge: {host: 192.0.2.1\n  inner:\n    host: [192.0.2.2\nmail: }\n');
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/^firebreak\.yml: .* at line \d+, column \d+$/);
  });

  it('takes its paths from its own folder', () => {
    writeFileSync(path.join(folder, 'key'), '', { mode: 0o600 });
    const config = load(
      'state_dir: state\nlog: {file: a/b.log}\nfirewalls: {edge: {host: 192.0.2.1, private_key_file: ./key}}',
    );
    expect(config.state_dir).to.equal(path.join(folder, 'state'));
    expect(config.log.file).to.equal(path.join(folder, 'a/b.log'));
    expect(config.firewalls['edge']?.private_key_file).to.equal(path.join(folder, 'key'));
  });

  for (const [title, text, expected] of [
    ['an empty file', '', ['firebreak.yml: firewalls: expected a mapping, but it is missing']],
    [
      'no firewall',
      'firewalls: {}',
      ['firebreak.yml: line 1, column 12: firewalls: expected at least one firewall, got "{}"'],
    ],
    [
      'an unknown key',
      'firewalls: {edge: {host: a}}\nfierwalls: {}',
      ['firebreak.yml: line 2, column 12: fierwalls: unknown key'],
    ],
    [
      'a port that is none',
      'firewalls:\n  edge:\n    host: a\n    port: 70000',
      ['firebreak.yml: line 4, column 11: firewalls.edge.port: expected 1-65535, got "70000"'],
    ],
    [
      'a word that is not among those allowed',
      'firewalls: {edge: {host: a}}\ndefaults: {type: Block}',
      ['firebreak.yml: line 2, column 18: defaults.type: expected block or reject, got "Block"'],
    ],
    [
      'a time without a unit',
      'firewalls: {edge: {host: a}}\nansible: {timeout: "60"}',
      ['firebreak.yml: line 2, column 20: ansible.timeout: expected a time such as 60s or 5m, got "60"'],
    ],
    [
      'a host with an option in it',
      'firewalls: {edge: {host: "-oProxyCommand=id"}}',
      [
        'firebreak.yml: line 1, column 26: firewalls.edge.host: expected an address or a host name, got "-oProxyCommand=id"',
      ],
    ],
    [
      'a secret file that is not there',
      'firewalls: {edge: {host: a, password_file: /nowhere/password}}',
      ['firebreak.yml: line 1, column 44: firewalls.edge.password_file: /nowhere/password: no such file'],
    ],
  ] as const) {
    it(`is refused with ${title}`, () => {
      expect(problemsOf(text)).to.deep.equal(expected);
    });
  }

  it('is refused with a secret among the variables, and says if others can read it', () => {
    const text = 'firewalls: {edge: {host: a, vars: {ansible_become_password: x, pfsense_config: /a}}}';
    const closed = findError(() => load(text));
    expect(closed.code).to.equal('config_exposed');
    expect(closed.message).to.match(/firewalls\.edge\.vars\.ansible_become_password: a secret belongs in a file/);
    expect(closed.message).to.not.include('others can read');
    expect(findError(() => load(text, 0o644)).message).to.include('others can read this file (mode 0644)');
  });

  it('protects the firewalls’ own addresses and what is listed', () => {
    const config = load(
      'firewalls: {edge: {host: 192.0.2.1}, far: {host: a.example}}\npolicy: {never_block: [10.0.0.0/8]}',
    );
    const reasons = findPolicy(config).protections.map(({ address, reason }) => `${address.text} ${reason}`);
    expect(reasons).to.include('192.0.2.1 the address of firewall edge');
    expect(reasons).to.include('10.0.0.0/8 protected by policy.never_block (10.0.0.0/8)');
  });

  it('gives all firewalls, or those that are named', () => {
    const config = load('firewalls: {edge: {host: a}, depot: {host: b}}');
    const names = (wanted: string[]): string[] => selectFirewalls(config, wanted).map(([name]) => name);
    expect(names([])).to.deep.equal(['edge', 'depot']);
    expect(names(['depot'])).to.deep.equal(['depot']);
    expect(findError(() => names(['toString'])).message).to.equal('--firewall: expected edge or depot, got "toString"');
  });

  it('is found by the option before the variable', () => {
    writeFileSync(file, '');
    expect(locateConfig(file, { FIREBREAK_CONFIG: '/nowhere' })).to.equal(file);
    expect(locateConfig(undefined, { FIREBREAK_CONFIG: file })).to.equal(file);
    expect(findError(() => locateConfig(undefined, { FIREBREAK_CONFIG: '/nowhere' })).message).to.equal(
      '/nowhere: no such file (given by $FIREBREAK_CONFIG); correct the path, or create it with firebreak init',
    );
  });
});
