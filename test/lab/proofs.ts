import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Launcher } from './launcher.js';

/** What the role tells of the proof of every rule in force; null: nothing, as a role that cannot tell. */
export type ForgedProof = { readonly level: string; readonly message: string } | null;

/** Changes what a run has told at its end, in the file of its events. */
const forge = `
const { readFileSync, writeFileSync } = require('node:fs');
const [, , proofFile] = process.argv;
const file = process.env.FIREBREAK_EVENTS;
const proof = JSON.parse(readFileSync(proofFile, 'utf8'));
const change = (told) => {
  if (Array.isArray(told.standing)) {
    for (const rule of told.standing) {
      delete rule.proof;
      delete rule.proof_message;
      if (proof !== null) Object.assign(rule, { proof: proof.level, proof_message: proof.message });
    }
    return;
  }
  delete told.proof;
  if (proof !== null) told.proof = [...told.added, ...told.present].map((tracker) => ({ tracker, ...proof }));
};
const lines = readFileSync(file, 'utf8').split('\\n').filter((line) => line !== '').map((line) => {
  const event = JSON.parse(line);
  if (event.event === 'stats') for (const host of Object.values(event.custom)) if (host.firebreak) change(host.firebreak);
  return JSON.stringify(event);
});
writeFileSync(file, lines.join('\\n') + '\\n');
`;

/**
 * The launcher's runs are real, but for what they tell of the proofs: that is what the returned function was last given.
 * So the launcher meets every level on a firewall whose rules decide.
 */
export function forgeProofs(launcher: Launcher, first: ForgedProof): (proof: ForgedProof) => void {
  const file = (name: string): string => path.join(launcher.folder, name);
  const tell = (proof: ForgedProof): void => writeFileSync(file('proof.json'), JSON.stringify(proof));
  tell(first);
  writeFileSync(file('forge.cjs'), forge);
  const command = file('ansible-playbook');
  writeFileSync(
    command,
    `#!/bin/sh\nansible-playbook "$@"\ncode=$?\n'${process.execPath}' '${file('forge.cjs')}' '${file('proof.json')}' || exit\nexit "$code"\n`,
  );
  chmodSync(command, 0o700);
  launcher.configure({ ansible: { playbook_command: command } });
  return tell;
}
