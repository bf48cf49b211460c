import { alarmFields } from './fields.js';
import { describeProblem, FirebreakError, quoteBack, type Problem } from '../core/errors.js';
import { compilePackageTemplate } from '../runtime/templates.js';

/** How the SIEM's host reaches us, as given on the command line. */
export interface SensorOptions {
  host: string | undefined;
  user: string | undefined;
  port: string;
  /** Used without a password file. */
  keyFile: string;
  passwordFile: string | undefined;
  knownHostsFile: string;
  command: string;
  script: string;
  spool: string;
  /** The most alarms in the spool, and their maximum age in days. */
  most: string;
  days: string;
  connectSeconds: string;
  totalSeconds: string;
  check: boolean;
}

const file = { is: /^\/[A-Za-z0-9._/@+-]{1,200}$/, expected: 'an absolute path of letters, digits and . _ / @ + -' };
const number = { is: /^[1-9][0-9]{0,5}$/, expected: 'a number from 1' };

const checks: [keyof Omit<SensorOptions, 'check'>, string, { is: RegExp; expected: string }][] = [
  ['host', 'host', { is: /^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, expected: 'the name or address of this host' }],
  ['user', 'user', { is: /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, expected: 'a login name' }],
  ['port', 'port', { is: /^[1-9][0-9]{0,4}$/, expected: '1-65535' }],
  ['keyFile', 'key-file', file],
  ['passwordFile', 'password-file', file],
  ['knownHostsFile', 'known-hosts-file', file],
  ['command', 'command', { is: /^[A-Za-z0-9_/][A-Za-z0-9 ._/-]{0,200}$/, expected: 'a command without quotes' }],
  ['script', 'script', file],
  ['spool', 'spool', file],
  ['most', 'spool-most', number],
  ['days', 'spool-days', number],
  ['connectSeconds', 'connect-timeout', number],
  ['totalSeconds', 'timeout', number],
];

/** Options that the script itself reads; it checks every other one for unsafe characters and passes it on. */
const read = new Set(['src-ip', 'dst-ip', 'dst-port', 'protocol', 'event-id', 'description']);
const passed = [...alarmFields.map(({ option }) => option).filter((option) => !read.has(option)), 'firewall'];

/**
 * The script for the SIEM's host, for any POSIX shell. Values are checked, and quoted as well.
 * @throws FirebreakError usage with every problem
 */
export function renderSensor(options: SensorOptions): string {
  const problems = findProblems(options);
  if (problems.length > 0) throw new FirebreakError('usage', problems.map(describeProblem).join('\n'));
  const template = compilePackageTemplate('sensor/alarm.sh', { helpers: { quote: quoteForShell } });
  return template({
    ...options,
    passwordFile: options.passwordFile ?? '',
    always: options.check ? '--check' : '',
    passed: passed.join(' | '),
  });
}

function findProblems(options: SensorOptions): Problem[] {
  return checks.flatMap(([key, option, { is, expected }]) => {
    const value = options[key];
    if (value === undefined) return key === 'passwordFile' ? [] : [{ path: `--${option}`, message: 'is missing' }];
    const isGood = is.test(value) && (key !== 'port' || Number(value) <= 65535);
    return isGood ? [] : [{ path: `--${option}`, message: `expected ${expected}, got ${quoteBack(value)}` }];
  });
}

const quoteForShell = (value: unknown): string => `'${String(value).replaceAll("'", `'\\''`)}'`;
