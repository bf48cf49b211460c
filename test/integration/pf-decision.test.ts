import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '../lab/package-root.js';

interface Group {
  readonly rows: number;
  readonly wrong: readonly string[];
}

/** Runs a Python file of test/lab/decisions and returns what it prints as JSON. */
function run(name: string, ...args: string[]): unknown {
  const script = path.join(packageRoot, 'test/lab/decisions', name);
  return JSON.parse(execFileSync('python3', ['-B', script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 }));
}

describe('a decision on what pf has loaded', () => {
  let table: Record<string, Group>;
  before(() => {
    table = run('table.py') as Record<string, Group>; // as the script prints it
  });

  const groups = {
    order: 'is made by the first quick rule that matches, else by the last rule',
    interfaces: 'knows interfaces, groups and what pf skips',
    protocols: 'knows families and protocols',
    addresses: 'knows networks, negation, tables and the firewall’s own addresses',
    ports: 'knows ports by number, name and range, of both ends',
    networks: 'covers every packet of a network',
    flags: 'covers packets of open connections',
    icmp: 'knows ICMP types, and what networks cannot do without',
    translations: 'comes after forwards and 1:1 NAT, which may pass a packet before any rule',
    doubts: 'claims nothing where a rule that matters cannot be read',
    office: 'holds for a whole rule set',
    texts: 'reads what pfctl and pfSense write, and survives what neither would write',
  };
  for (const [group, title] of Object.entries(groups)) {
    it(title, () => {
      expect(table[group]?.wrong).to.deep.equal([]);
      expect(table[group]?.rows).to.be.greaterThan(10);
    });
  }

  it('is the same as that of a reference that tries every packet', () => {
    const levels = run('reference.py', '600', '7') as Record<string, number>; // as the script prints it
    for (const level of ['decides', 'shadowed', 'listed']) expect(levels[level], level).to.be.greaterThan(50);
  });

  it('is made for every text, whatever breaks off in it', () => {
    const levels = run('broken.py', '200', '7') as Record<string, number>; // as the script prints it
    expect(levels['listed']).to.be.greaterThan(20);
    expect(levels['shadowed']).to.be.greaterThan(20);
  });

  it('is the same for what three versions write of 40 rules, and for what pfctl prints of them', function () {
    const folder = path.join(process.env['FIREBREAK_SAMPLES'] ?? '', 'pfsense/rules');
    if (process.env['FIREBREAK_SAMPLES'] === undefined || !existsSync(folder)) this.skip();
    const { rows, wrong } = run('samples.py', folder) as Group; // as the script prints it
    expect(wrong).to.deep.equal([]);
    expect(rows).to.be.greaterThan(100);
  });

  it('leaves no group of the table out', () => {
    expect(Object.keys(table)).to.have.members(Object.keys(groups));
  });
});
