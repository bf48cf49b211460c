import { expect } from 'chai';
import { bindCommand, makeParser } from '#firebreak/cli/program.js';
import { FirebreakError } from '#firebreak/core/errors.js';

/** What the parser makes of these words: the command's name and its arguments, or the error. */
async function parse(...argv: string[]): Promise<{ command: string; args: Record<string, unknown> } | string> {
  let found: { command: string; args: Record<string, unknown> } | undefined;
  try {
    const parser = await makeParser(bindCommand(argv), ({ usage }, args) => {
      found = { command: usage.split(' ')[0]!, args: args as Record<string, unknown> };
    });
    await parser.parseAsync();
  } catch (error) {
    if (error instanceof FirebreakError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return found ?? 'no command';
}

const alarm = { SOURCE: '203.0.113.7', DESTINATION: '192.168.1.10', PORT: '22' };

describe('the command line', () => {
  for (const [line, command, args] of [
    [
      'block 203.0.113.7 192.168.1.10 22',
      'block',
      { ...alarm, wait: true, check: false, recheck: false, firewall: [] },
    ],
    ['block 203.0.113.7 192.168.1.10 22 --no-wait --check', 'block', { ...alarm, wait: false, check: true }],
    [
      'block 203.0.113.7 192.168.1.10 22 wan block inet three failed logins',
      'block',
      { DESCRIPTION: ['three', 'failed', 'logins'] },
    ],
    ['block 203.0.113.7 192.168.1.10 22 --firewall=a --firewall b', 'block', { firewall: ['a', 'b'] }],
    [
      'block 203.0.113.7 192.168.1.10 22 wan block inet -weird text --x=1 -5 --check --risk 3',
      'block',
      { ...alarm, IPPROTO: 'inet', description: '-weird text --x=1 -5', check: true, risk: '3' },
    ],
    [
      '--json block --check=true 203.0.113.7 192.168.1.10 22 wan block inet -- ran --check --risk',
      'block',
      { ...alarm, json: true, description: 'ran --check --risk', check: true },
    ],
    [
      'block --src-ip=203.0.113.7 --dst-ip 192.168.1.10 --dst-port=022',
      'block',
      { 'src-ip': '203.0.113.7', 'dst-ip': '192.168.1.10', 'dst-port': '022' },
    ],
    ['block 203.0.113.7 192.168.1.10 22 --event-id= --risk=3', 'block', { 'event-id': '', risk: '3' }],
    ['block 203.0.113.7 192.168.1.10 22 --for=7d --for=1d', 'block', { for: ['7d', '1d'] }],
    ['unblock 203.0.113.7', 'unblock', { target: ['203.0.113.7'], wait: true }],
    ['unblock 4KQ0AA 203.0.113.0/24 --last', 'unblock', { target: ['4KQ0AA', '203.0.113.0/24'], last: true }],
    ['unblock --id 4KQ0', 'unblock', { id: '4KQ0' }],
    ['import - --dst-port 25', 'import', { file: '', 'dst-port': '25' }],
    ['approve --all', 'approve', { all: true }],
    ['retry 4KQ0', 'retry', { id: '4KQ0', all: false }],
    ['freeze a change window', 'freeze', { reason: ['a', 'change', 'window'] }],
    ['list --state all --csv', 'list', { state: 'all', csv: true }],
    ['audit old.jsonl --verify', 'audit', { older: ['old.jsonl'], verify: true }],
    ['drain --owner 01J', 'drain', { owner: '01J' }],
    ['gateway -c --help', 'gateway', { c: '--help' }],
    ['report', 'report', { since: '24h', format: 'text' }],
    ['--json --config x.yml list', 'list', { json: true, config: 'x.yml' }],
  ] as const) {
    it(`reads: firebreak ${line}`, async () => {
      const found = await parse(...line.split(' '));
      if (typeof found === 'string') throw new Error(found);
      expect(found.command).to.equal(command);
      expect(found.args).to.deep.include(args);
    });
  }

  for (const [line, message] of [
    ['', /^usage: .*firebreak block, unblock, list/],
    ['blok 203.0.113.7', /^usage: Unknown arguments?: blok.*; did you mean block\?; see/],
    ['block 203.0.113.7 192.168.1.10 22 --risky=3', /^usage: Unknown argument: risky; did you mean --risk\?; see/],
    ['block 203.0.113.7 192.168.1.10 22 wan block -weird', /^usage: Unknown arguments?: /],
    ['list --fierwall=edge', /; did you mean --firewall\?/],
    ['list --zzzz', /^usage: Unknown argument: zzzz; see/],
    ['list --state', /^usage: Not enough arguments following: state/],
    ['show', /^usage: Not enough non-option arguments/],
  ] as const) {
    it(`refuses: firebreak ${line}`, async () => {
      expect(await parse(...line.split(' ').filter((word) => word !== ''))).to.match(message);
    });
  }
});
