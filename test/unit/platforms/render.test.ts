import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import { buildEnvironment, buildSshArgs } from '#firebreak/platforms/ansible/environment.js';
import { renderExtraVars, renderInventory } from '#firebreak/platforms/ansible/render.js';
import { configSchema, type FirewallConfig } from '#firebreak/config/schema.js';
import { aFlow } from '../../fixtures.js';

function firewall(settings: object = {}): FirewallConfig {
  const config = configSchema.parse({ firewalls: { edge: { host: '192.0.2.1', ...settings } } });
  return config.firewalls['edge']!;
}

const item = { ...aFlow(), tracker: 2_000_000_001, description: 'blocked' };

/** Reads YAML as Ansible would, with its mark for text that is never evaluated. */
function read(text: string): Record<string, Record<string, Record<string, Record<string, unknown>>>> {
  const unsafe = { tag: '!unsafe', resolve: (value: string) => `unsafe ${value}` };
  return parse(text, { customTags: [unsafe] }) as ReturnType<typeof read>; // what it holds is what the tests look at
}

describe('renderInventory', () => {
  it('names one host with all that the configuration says of it', () => {
    const edge = firewall({ port: 2222, vars: { pfsense_reload: 'async', limits: [1, 2] } });
    const text = renderInventory({ name: 'edge', firewall: edge, sshArgs: ['-o A=b'] });
    const host = read(text)['firewalls']!['hosts']!['unsafe edge']!;
    expect(host).to.deep.include({
      ansible_host: 'unsafe 192.0.2.1',
      ansible_port: 2222,
      ansible_user: 'unsafe root',
      ansible_ssh_common_args: '-o A=b',
      ansible_become: false,
      pfsense_reload: 'async',
      limits: [1, 2],
    });
    expect(host).to.not.have.property('ansible_ssh_private_key_file');
  });

  it('lets an inventory variable of the configuration win over ours', () => {
    const vars = { ansible_python_interpreter: '/usr/bin/python3' };
    const text = renderInventory({ name: 'edge', firewall: firewall({ vars }), sshArgs: [] });
    expect(text).to.include('ansible_python_interpreter: "/usr/bin/python3"');
  });
});

describe('renderExtraVars', () => {
  const unsafe = (text: string): object => ({ __ansible_unsafe: text });

  it('is JSON in which every text is marked unsafe and the tracker is a number', () => {
    const parsed = JSON.parse(renderExtraVars({ present: [item, item], absent: [item] })) as Record<string, object[]>;
    expect(parsed['firebreak_present']).to.have.length(2);
    const { tracker, ...texts } = item;
    const marked = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, unsafe(value)]));
    expect(parsed['firebreak_absent']).to.deep.equal([{ ...marked, tracker }]);
  });

  it('carries any text there is unchanged, in printable ASCII, and never unmarked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (description) => {
        const text = renderExtraVars({ present: [{ ...item, description }], absent: [] });
        expect(text).to.match(/^[\x20-\x7e\n]*$/);
        const [first] = (JSON.parse(text) as { firebreak_present: { description: object }[] }).firebreak_present;
        expect(first?.description).to.deep.equal(unsafe(description));
      }),
    );
  });

  it('is valid with nothing in it', () => {
    expect(JSON.parse(renderExtraVars({ present: [], absent: [] }))).to.deep.include({
      firebreak_present: [],
      firebreak_absent: [],
    });
  });
});

describe('buildSshArgs', () => {
  const fast = { ssh_kex: '^curve25519-sha256' };

  it('puts a key exchange first, or leaves it to ssh', () => {
    expect(buildSshArgs(firewall(), fast)).to.include('-o KexAlgorithms=^curve25519-sha256');
    expect(buildSshArgs(firewall(), { ssh_kex: 'default' }).join(' ')).to.not.include('KexAlgorithms');
  });

  it('always checks the host key, and asks nobody where there is no password', () => {
    const args = buildSshArgs(
      firewall({ known_hosts_file: '/etc/a b/known_hosts', private_key_file: '/k' }),
      fast,
    ).join(' ');
    expect(args).to.include('StrictHostKeyChecking=yes').and.include('BatchMode=yes');
    expect(args).to.include('UserKnownHostsFile="/etc/a b/known_hosts"').and.include('IdentitiesOnly=yes');
  });

  it('lets a password be used where there is one', () => {
    expect(buildSshArgs(firewall({ password_file: '/p' }), fast).join(' ')).to.not.match(
      /BatchMode|PasswordAuthentication=no/,
    );
  });
});

describe('buildEnvironment', () => {
  const workspace = {
    folder: '/run',
    controlFolder: '/run/c',
    file: (name: string) => `/run/${name}`,
    write: () => '',
    close: () => undefined,
  };

  it('lets nothing of the caller in but PATH and HOME', () => {
    const outer = { PATH: '/bin', HOME: '/root', ANSIBLE_STDOUT_CALLBACK: 'json', SECRET: 'canary', LD_PRELOAD: 'x' };
    const built = buildEnvironment({ runId: '01RUN', workspace, firewall: firewall() }, outer);
    expect(built).to.include({ PATH: '/bin', HOME: '/root', FIREBREAK_RUN_ID: '01RUN', ANSIBLE_HOME: '/run/tmp' });
    expect(built).to.not.have.any.keys('ANSIBLE_STDOUT_CALLBACK', 'SECRET', 'LD_PRELOAD');
  });

  it('names the files of secrets, never a secret', () => {
    const edge = firewall({ password_file: '/p', become_password_file: '/b' });
    const built = buildEnvironment({ runId: '01RUN', workspace, firewall: edge }, {});
    expect(built).to.include({ ANSIBLE_CONNECTION_PASSWORD_FILE: '/p', ANSIBLE_BECOME_PASSWORD_FILE: '/b' });
  });
});
