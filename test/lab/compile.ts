import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Version } from './firewall.js';
import { packageRoot } from './package-root.js';
import { findPython } from './stand-ins.js';

const run = promisify(execFile);

/** What the stand-in makes of a configuration, without a firewall to start. */
export interface Compiled {
  /** The lines of rules.debug. */
  readonly generated: readonly string[];
  readonly rules: readonly string[];
  readonly translations: readonly string[];
  readonly complaints: readonly string[];
}

const code = `
import json, sys
sys.path.insert(0, sys.argv[1])
from config import parse
from pf import compile_rules
from rules import generate
answers = []
for one in json.load(sys.stdin):
    text, _ = generate(parse(one['config'].encode()), one['version'], {})
    made = compile_rules(text)
    answers.append({'generated': text.split('\\n'), 'rules': made.rules, 'translations': made.translations,
                    'complaints': made.complaints})
json.dump(answers, sys.stdout)
`;

/** The rules of several configurations, in the order given. */
export async function compileAll(
  cases: readonly { readonly config: string; readonly version: Version }[],
): Promise<Compiled[]> {
  const running = run(findPython(), ['-B', '-c', code, path.join(packageRoot, 'test/lab/pfsense')], {
    maxBuffer: 1 << 28,
  });
  running.child.stdin?.end(JSON.stringify(cases));
  return JSON.parse((await running).stdout) as Compiled[]; // the code above writes it so
}

export async function compile(config: string, version: Version = '2.7.2'): Promise<Compiled> {
  const [made] = await compileAll([{ config, version }]);
  if (made === undefined) throw new Error('The stand-in gave no answer.');
  return made;
}
