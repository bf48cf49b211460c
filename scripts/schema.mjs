// Generates from the compiled schema of firebreak.yml: schema/firebreak.schema.json, for editors
//   # yaml-language-server: $schema=/usr/lib/node_modules/firebreak/schema/firebreak.schema.json
// and the tables of docs/configuration.md, between "<!-- keys: SECTION -->" and "<!-- end of keys -->".
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { explainAll } from '../build/src/config/explain.js';
import { configSchema } from '../build/src/config/schema.js';

const root = path.resolve(import.meta.dirname, '..');
const schemaFile = path.join(root, 'schema/firebreak.schema.json');
const documentFile = path.join(root, 'docs/configuration.md');

export function renderSchema() {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any', override: annotate });
  return `${JSON.stringify({ ...schema, title: 'firebreak.yml' }, undefined, 2)}\n`;
}

/** Editors show a description unchanged. zod drops the examples of transformed values, although ours are as written. */
function annotate({ zodSchema, jsonSchema }) {
  const { description, examples } = z.globalRegistry.get(zodSchema) ?? {};
  if (description !== undefined) jsonSchema.description = description.replaceAll('`', '');
  if (examples !== undefined) jsonSchema.examples = examples;
}

/** The document with its tables regenerated. */
export const renderDocument = (document) =>
  document.replace(
    /^(<!-- keys: (\w+) -->\n).*?(?=^<!-- end of keys -->$)/gms,
    (_, marker, section) => `${marker}${renderSection(section)}\n`,
  );

/** The section "general" holds the keys that are in no section. */
function renderSection(section) {
  const sectionOf = (key) => (key.includes('.') ? key.split('.')[0] : 'general');
  const keys = explainAll().filter(({ key }) => sectionOf(key) === section);
  const rows = keys.map((each) => `| \`${each.key}\` | ${each.default} | ${each.meaning} |`);
  const intro = configSchema.shape[section]?.description;
  return [
    ...(intro === undefined ? [] : [wrap(intro), '']),
    '| key | default | meaning |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

const wrap = (text) => text.replace(/(.{1,119})(?: |$)/g, '$1\n').trimEnd();

if (process.argv[1] === import.meta.filename) {
  mkdirSync(path.dirname(schemaFile), { recursive: true });
  writeFileSync(schemaFile, renderSchema());
  writeFileSync(documentFile, renderDocument(readFileSync(documentFile, 'utf8')));
}
