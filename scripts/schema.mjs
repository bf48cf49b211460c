// Writes schema/firebreak.schema.json from the compiled schema of firebreak.yml, for editors:
//   # yaml-language-server: $schema=/usr/lib/node_modules/firebreak/schema/firebreak.schema.json
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { configSchema } from '../build/src/config/schema.js';

const folder = path.resolve(import.meta.dirname, '../schema');

export function renderSchema() {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ ...schema, title: 'firebreak.yml' }, undefined, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'firebreak.schema.json'), renderSchema());
}
