import { FirebreakError, quoteBack } from '../core/errors.js';
import { configSchema } from './schema.js';
import { listKeys, type SchemaKey } from './schema/walk.js';

export interface Explanation {
  key: string;
  /** As written in the file, or the word `none` or `required`. */
  default: string;
  meaning: string;
}

/** Explains all keys in the schema's order, in Markdown. */
export const explainAll = (): Explanation[] =>
  listKeys(configSchema)
    .filter(({ isSection }) => !isSection)
    .map((each) => ({ key: each.key, default: formatDefault(each), meaning: formatMeaning(each) }));

/**
 * Explains a key, or all keys below it, as plain text. A name that the user chooses is explained as NAME.
 * @throws FirebreakError usage, if there is no such key
 */
export function explainKey(key: string): Explanation[] {
  const all = explainAll();
  const requested = key.split('.');
  const found = all.filter((each) => {
    const names = each.key.split('.');
    return requested.every((name, at) => name === names[at] || names[at] === 'NAME');
  });
  if (found.length > 0) return found.map(toPlain);
  const last = requested.at(-1) ?? '';
  const near = all.filter((each) => each.key.split('.').includes(last)).map((each) => each.key);
  const hint = near.length > 0 ? `; use ${near.join(' or ')}` : '; see docs/configuration.md for all keys';
  throw new FirebreakError('usage', `explain: unknown key ${quoteBack(key)}${hint}`);
}

const toPlain = ({ key, ...texts }: Explanation): Explanation => ({
  key,
  default: texts.default.replaceAll('`', ''),
  meaning: texts.meaning.replaceAll('`', ''),
});

function formatDefault({ isRequired, default: value }: SchemaKey): string {
  if (value !== undefined) return `\`${formatValue(value)}\``;
  return isRequired ? 'required' : 'none';
}

const formatMeaning = ({ description, example }: SchemaKey): string =>
  example === undefined ? description : `${description} Example: \`${formatValue(example)}\`.`;

/** A value as one line of YAML. */
function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, each]) => `${name}: ${formatValue(each)}`);
    return `{${entries.join(', ')}}`;
  }
  const text = String(value);
  return /^[@:*&]/.test(text) ? `"${text}"` : text;
}
