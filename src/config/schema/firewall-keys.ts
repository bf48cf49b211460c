import * as z from 'zod';
import { address, file, key, name, port, secretFile } from './kinds.js';

const interfaceKey = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, 'expected a key such as wan, lan or opt1');
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name');

export const firewall = z.strictObject({
  platform: key(
    z.enum(['pfsense']).default('pfsense'),
    'Platform of the firewall: the role in `playbooks/roles` that talks to it.',
  ),
  mode: key(
    z.enum(['enforce', 'observe']).default('enforce'),
    '`observe` makes every new block a dry run: it is recorded as observed and reported, and nothing changes on the firewall. Blocks in force stay, and are still released. `firebreak observe` does the same until it is turned off.',
  ),
  tags: key(
    z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'expected a word such as dmz')).default([]),
    'Names of groups that the firewall belongs to: `--firewall @dmz` means all firewalls with the tag `dmz`.',
    ['dmz'],
  ),
  host: key(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, 'expected an address or a host name'),
    'Address or host name. An address given here is never blocked.',
  ),
  port: key(port.default(22), 'SSH port.'),
  user: key(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'expected a login name')
      .default('root'),
    'SSH login. It must be able to write config.xml and to run pfctl, with or without `become`.',
  ),
  private_key_file: key(
    secretFile.optional(),
    "SSH private key. If neither a key nor a password file is set, ssh's own keys and agent are used.",
  ),
  password_file: key(
    secretFile.optional(),
    'File with the SSH password, used instead of a key. Ansible before 2.19 needs sshpass for it.',
  ),
  known_hosts_file: key(
    file.optional(),
    "File with the firewall's host key; ssh's own file if not set. The host key is always verified.",
  ),
  become: key(z.boolean().default(false), 'Whether to become another user on the firewall.'),
  become_user: key(name.default('root'), 'User to become.'),
  become_password_file: key(secretFile.optional(), 'File with the password that `become` needs.'),
  addresses: key(
    z.array(address).prefault([]),
    'Other addresses of the firewall, never blocked either. Those that a run has seen on it need not be listed.',
    ['198.51.100.1'],
  ),
  interfaces: key(
    z.record(interfaceKey, z.array(address)).prefault({}),
    "Interface that a source enters by if the alarm names none: pfSense's own interface keys, each with a list of networks. The longest prefix that contains the source wins; without a match, `wan`. Without this key, the networks count that the firewall itself has reported.",
    { lan: ['192.168.1.0/24'], wan: ['0.0.0.0/0', '::/0'] },
  ),
  vars: key(
    z.record(variableName, z.json()).default({}),
    'Further Ansible variables for this host, such as `ansible_python_interpreter` or those of the pfSense role. A name that looks like a secret is refused.',
    { ansible_python_interpreter: '/usr/local/bin/python3.11' },
  ),
});
