import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fillDisk, freeDisk, remount } from './disk.js';
import { addFaults, clearFaults, type Faults } from './faults.js';
import { packageRoot } from './package-root.js';
import type { SmallDisk } from './namespace.js';
import { makeKey, startSshd, type Sshd } from './sshd.js';
import { findPython, layOutFirewall } from './stand-ins.js';
import { renderState, type State } from './states.js';

const run = promisify(execFile);

export type Version = '2.4.5' | '2.6.0' | '2.7.2' | '2.8' | 'master';

export interface FirewallOptions {
  /** A config.xml to start from; `sample('office')` by default. */
  readonly config?: string;
  readonly version?: Version;
  /** Where to lay the firewall out; a new temporary folder by default. */
  readonly root?: string;
  readonly port?: number;
  /** Puts the configuration on a disk of its own, so that it can be filled or made read-only. Takes `canMount()`.
   * The disk lives as long as the server: after `goAway` or `changeHostKey` it is as it was at the start. */
  readonly diskKilobytes?: number;
  /** Leaves the folder there after `stop()`. */
  readonly keep?: boolean;
}

/** A pfSense stand-in behind a real sshd. */
export interface Firewall extends Sshd {
  readonly root: string;
  readonly privateKeyFile: string;
  /** Inventory variables that point the pfSense role at the stand-ins. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** As this process sees it, whatever disk it lies on. */
  readonly configFile: string;
  readConfig(): string;
  /** As an editor would leave it: the cache stays. */
  writeConfig(text: string): void;
  dropCache(): void;
  hasCache(): boolean;
  /** `pfctl -sr`, whatever faults are on. */
  loadedRules(): Promise<string[]>;
  /** rules.debug: what pfSense generated last, loaded or not. */
  generatedRules(): string[];
  states(): string[];
  setStates(states: readonly State[]): void;
  /** How many packets pf has counted by the rules of these trackers; the next load begins anew. */
  setPackets(packets: Readonly<Record<number, number>>): void;
  setFaults(faults: Faults): void;
  clearFaults(): void;
  /** The lines of filter_reload_status. */
  reloadStatus(): string[];
  /** Plays somebody at the web pages (see pfsense/gui.py). Rejects where the page would show an error. */
  gui(args: readonly string[]): Promise<string>;
  /** Runs a stand-in by its path below the root, on the firewall itself. Rejects on an exit code that is not 0. */
  run(program: string, args?: readonly string[]): Promise<{ stdout: string; stderr: string }>;
  /** Holds pfSense's configuration lock until the function it gives is called. */
  holdLock(): Promise<() => Promise<void>>;
  /** How many reloads have been carried out since the start, refused ones too. */
  reloads(): number;
  /** Leaves no room on the configuration's disk; gives it back when called with false. */
  setDiskFull(full: boolean): void;
  setDiskReadOnly(readOnly: boolean): Promise<void>;
  /** Ends everything that came from the firewall, and removes its folder. */
  stop(): Promise<void>;
}

/** The file of one of the samples: office, plain, empty-filter, selfclosed-filter, no-filter. */
export function sample(name: string): string {
  return path.join(packageRoot, 'test/samples', `${name}.xml`);
}

function makeVars(root: string): Record<string, unknown> {
  const lock = `${root}/tmp/config.lock`;
  return {
    ansible_python_interpreter: findPython(),
    ansible_remote_tmp: `${root}/home/.ansible/tmp`,
    pfsense_config: `${root}/cf/conf/config.xml`,
    pfsense_config_cache: `${root}/tmp/config.cache`,
    pfsense_config_history: `${root}/cf/conf/backup`,
    pfsense_config_lock: lock,
    pfsense_lock_command: `${root}/usr/bin/lockf -k -t 30 ${lock}`,
    pfsense_reload_sync_command: `${root}/etc/rc.filter_configure_sync`,
    pfsense_reload_async_command: `${root}/etc/rc.filter_configure`,
    pfsense_reload_status: `${root}/var/run/filter_reload_status`,
    pfsense_pfctl: `${root}/sbin/pfctl`,
    pfsense_ifconfig: `${root}/sbin/ifconfig`,
    pfsense_php: `${root}/usr/local/bin/php`,
    pfsense_version_file: `${root}/etc/version`,
  };
}

function readLines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

/** Lays the folder out; gives where the configuration waits to be put on a disk of its own, if it is to have one. */
function prepare(root: string, options: FirewallOptions): SmallDisk | undefined {
  const { config = sample('office'), version = '2.7.2', diskKilobytes } = options;
  layOutFirewall(root, version);
  const folder = path.join(root, 'cf/conf');
  copyFileSync(config, path.join(folder, 'config.xml'));
  copyFileSync(config, path.join(folder, 'backup/config-1700000000.xml'));
  if (diskKilobytes === undefined) return undefined;
  const seed = `${folder}.seed`;
  renameSync(folder, seed);
  mkdirSync(folder);
  return { folder, seed, kilobytes: diskKilobytes };
}

/**
 * Starts a firewall with its rules loaded, as after a boot. Each has a folder, a port and keys of its own.
 * A configuration pfSense cannot read is not refused here: it is what a test may want.
 */
export async function startFirewall(options: FirewallOptions = {}): Promise<Firewall> {
  const root = options.root ?? mkdtempSync(path.join(tmpdir(), 'fw-'));
  const disk = prepare(root, options);
  const privateKeyFile = path.join(root, 'ssh/id_ed25519');
  const sshd = await startSshd({
    folder: path.join(root, 'ssh'),
    ...(options.port === undefined ? {} : { port: options.port }),
    home: path.join(root, 'home'),
    authorizedKeys: [await makeKey(privateKeyFile)],
    // What a killed program leaves in /tmp is the firewall's, and goes with it.
    environment: { TMPDIR: path.join(root, 'tmp') },
    disk,
  });
  // A disk of its own is seen by the server and its sessions only, and by others through the server's root.
  const seen = (file: string): string => path.join(disk ? `/proc/${sshd.pid()}/root` : '/', root, file);
  const inside = (file: string): string => path.join(root, file);

  const command = (program: string, args: readonly string[]): [string, string[]] =>
    disk ? ['nsenter', ['--mount', `--target=${sshd.pid()}`, inside(program), ...args]] : [inside(program), [...args]];

  const runInside: Firewall['run'] = (program, args = []) =>
    run(...command(program, args), { env: { ...process.env, ...sshd.mark }, maxBuffer: 1 << 28 });

  const holdLock: Firewall['holdLock'] = async () => {
    const [program, args] = command('usr/bin/lockf', ['-k', inside('tmp/config.lock'), 'sh', '-c', 'echo held; cat']);
    const holder = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...sshd.mark } });
    await once(holder.stdout, 'data');
    const ended = once(holder, 'exit');
    return async () => {
      holder.stdin.end();
      await ended;
    };
  };

  const stop = async (): Promise<void> => {
    await sshd.stop();
    if (options.keep !== true) rmSync(root, { recursive: true, force: true });
  };

  // Rejects with a configuration that pfSense dies of, and then nothing is loaded, as on the real one.
  await runInside('etc/rc.filter_configure_sync').catch(() => undefined);
  writeFileSync(inside('var/lab/reloads'), '');

  const isBound = options.version === '2.8' || options.version === 'master';
  return {
    ...sshd,
    root,
    privateKeyFile,
    vars: makeVars(root),
    get configFile() {
      return seen('cf/conf/config.xml');
    },
    readConfig: () => readFileSync(seen('cf/conf/config.xml'), 'utf8'),
    writeConfig: (text) => writeFileSync(seen('cf/conf/config.xml'), text),
    dropCache: () => rmSync(inside('tmp/config.cache'), { force: true }),
    hasCache: () => existsSync(inside('tmp/config.cache')),
    loadedRules: () => Promise.resolve(readLines(inside('var/lab/loaded'))),
    generatedRules: () => readLines(inside('tmp/rules.debug')),
    states: () => readLines(inside('var/lab/states')),
    setStates: (states) =>
      writeFileSync(inside('var/lab/states'), states.map((one) => `${renderState(one, isBound)}\n`).join('')),
    setPackets: (packets) =>
      writeFileSync(
        inside('var/lab/packets'),
        Object.entries(packets)
          .map(([tracker, many]) => `${tracker} ${many}\n`)
          .join(''),
      ),
    reloadStatus: () => readLines(inside('var/run/filter_reload_status')),
    setFaults: (faults) => addFaults(root, faults),
    clearFaults: () => clearFaults(root),
    gui: async (args) => (await runInside('usr/local/sbin/gui', args)).stdout,
    run: runInside,
    holdLock,
    reloads: () => readLines(inside('var/lab/reloads')).length,
    setDiskFull: (full) => (full ? fillDisk : freeDisk)(seen('cf/conf/filler')),
    setDiskReadOnly: (readOnly) => remount(sshd.pid(), inside('cf/conf'), readOnly ? 'ro' : 'rw'),
    stop,
  };
}
