import * as z from 'zod';
import { key, offOrTimeLimit, path, program, timeLimit } from './kinds.js';

export const dispatch = z.strictObject({
  max_waiting: key(
    z.int().nonnegative().default(8),
    'How many processes may wait for a run of another process. Further ones return at once with exit code 8; their alarms are recorded and applied.',
  ),
  recheck: key(
    timeLimit.prefault('60s'),
    'How old a proof may be when the same alarm comes again; an older one is renewed by a run.',
  ),
  same_event: key(
    timeLimit.prefault('10m'),
    'How long an alarm with the same `--event-id` adds nothing while its block is in force. The answer says so.',
  ),
  give_up: key(
    timeLimit.prefault('24h'),
    'How long a block is retried before it is marked `failed` and waits for `firebreak retry`.',
  ),
  patience: key(
    timeLimit.prefault('10m'),
    'How long to wait for other processes that write to the ledger. After that, a call ends with exit code 75; nothing is recorded and no run is started.',
  ),
});

export const gateway = z.strictObject({
  max_sessions: key(
    z.int().positive().default(32),
    'How many alarms are accepted at the same time. A further one is answered with exit code 75, and the sensor script stores it.',
  ),
  max_per_caller: key(
    z.int().positive().default(16),
    'How many alarms of one caller, by address, are accepted at the same time. Of the dry runs of all callers, one at a time.',
  ),
});

/** As ssh's KexAlgorithms: a list of names, which a sign adds to ssh's own, removes from them, or puts first. */
const keyExchange = z
  .string()
  .regex(/^(default|[+^-]?[a-z0-9@._-]+(,[a-z0-9@._-]+)*)$/, 'expected a list such as ^curve25519-sha256, or default');

export const ansible = z.strictObject({
  playbook_command: key(
    program.default('ansible-playbook'),
    'The `ansible-playbook` program, version 2.14 or newer. Give its path if it is not on `PATH`, as can happen over SSH.',
  ),
  timeout: key(timeLimit.prefault('60s'), 'How long a run may take before it is stopped, gracefully first.'),
  batch: key(z.int().positive().default(1000), 'How many blocks one run applies at most.'),
  keep_runs: key(z.int().positive().default(200), 'How many run folders to keep.'),
  warm: key(
    offOrTimeLimit.prefault('5m'),
    'How long a process that has Ansible loaded waits for the next run, which saves about half of the processor time of Ansible. It is started by a run, holds no secret and ends automatically; `0` turns it off. See docs/performance.md.',
  ),
  ssh_kex: key(
    keyExchange.default('^curve25519-sha256'),
    "`KexAlgorithms` of ssh for the connection to a firewall. The default puts a fast key exchange first, which is not post-quantum; all others remain available. `default` leaves the choice to ssh.",
  ),
});

export const log = z.strictObject({
  level: key(
    z.enum(['error', 'warn', 'info', 'debug']).default('info'),
    'Least severe events that are logged: `error`, `warn`, `info` or `debug`.',
  ),
  file: key(
    path.optional(),
    'Log file, one event per line. If not set, only the ledger and the run folders record what happened.',
  ),
  format: key(z.enum(['json', 'text']).default('json'), '`json`, one object per line, or `text`, for people.'),
  max_megabytes: key(
    z.number().positive().default(20),
    'Size at which the file is renamed to `firebreak.log.NUMBER` and a new one is started.',
  ),
  max_age: key(timeLimit.prefault('30d'), "Age of the file's first line at which it is renamed and a new one is started."),
  keep: key(z.int().nonnegative().default(10), 'How many renamed files to keep; the oldest are deleted first.'),
});
