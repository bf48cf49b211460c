// Writes an SBOM of the package's dependencies beside the package, in npm's CycloneDX format. npm pack and scripts/deb.mjs
// call it.
//
//   node scripts/sbom.mjs [FOLDER]    FOLDER/firebreak-VERSION.cdx.json
//
// The same sources and SOURCE_DATE_EPOCH give the same file: npm's random number and clock are left out.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

export function writeSbom(folder, epoch) {
  const { name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const command = ['sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const made = JSON.parse(execFileSync('npm', command, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }));
  delete made.serialNumber;
  delete made.metadata.timestamp;
  if (epoch !== undefined) made.metadata.timestamp = new Date(epoch * 1000).toISOString();
  made.metadata.component.name = name; // npm uses the folder's
  const file = path.join(folder, `${name}-${version}.cdx.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
  return file;
}

if (process.argv[1] === import.meta.filename) {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const folder = process.argv[2] ?? process.env.npm_config_pack_destination ?? '.';
  writeSbom(path.resolve(folder), epoch === undefined ? undefined : Number(epoch));
}
