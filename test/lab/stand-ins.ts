import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from './package-root.js';

const source = path.join(packageRoot, 'test/lab/pfsense');

const programs = [
  'sbin/ifconfig',
  'sbin/pfctl',
  'etc/rc.filter_configure',
  'etc/rc.filter_configure_sync',
  'usr/bin/lockf',
  'usr/local/bin/php',
  'usr/local/sbin/gui',
];

const folders = ['cf/conf/backup', 'tmp/notices', 'var/run', 'var/lab', 'home/.ansible/tmp', 'ssh'];

/** An interpreter by its full path: over SSH there is next to no PATH. */
export function findPython(): string {
  const places = ['/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(':')];
  const found = places.map((place) => path.join(place, 'python3')).find((file) => existsSync(file));
  if (found === undefined) throw new Error('The lab needs a python3; install one and start again.');
  return found;
}

/** Lays pfSense's tree out below the root: its folders, the programs, a router learnt by dhcp. */
export function layOutFirewall(root: string, version: string): void {
  for (const folder of folders) mkdirSync(path.join(root, folder), { recursive: true });
  const python = findPython();
  symlinkSync(source, path.join(root, 'lab')); // a copy would be compiled anew for each firewall
  const body = readFileSync(path.join(source, 'stand-in.py'), 'utf8');
  for (const program of programs) {
    const file = path.join(root, program);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!${python} -SEs\n${body}`);
    chmodSync(file, 0o755);
  }
  symlinkSync('cf/conf', path.join(root, 'conf'));
  writeFileSync(path.join(root, 'etc/version'), `${version}-RELEASE\n`);
  writeFileSync(path.join(root, 'var/lab/version'), version);
  writeFileSync(path.join(root, 'tmp/em0_router'), '198.51.100.1\n');
  for (const file of ['interfaces', 'loaded', 'loaded.before', 'reloads', 'states', 'tables', 'translations']) {
    writeFileSync(path.join(root, 'var/lab', file), '');
  }
}
