import { columnName, type ListRecord } from './list-record.js';

/** No program's record is deeper. */
const deepest = 8;

/** An object's plain values, with the names of the objects around them before theirs: `source.ip`. */
export function flatten(object: Readonly<Record<string, unknown>>): ListRecord {
  const record: Record<string, string> = {};
  const add = (value: unknown, name: string, depth: number): void => {
    const plain = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
    if (typeof plain === 'string' || typeof plain === 'number' || typeof plain === 'boolean')
      record[name] = String(plain);
    else if (Array.isArray(plain)) {
      if (plain.every((each) => typeof each === 'string')) record[name] = plain.join(', ');
    } else if (typeof plain === 'object' && plain !== null && depth < deepest) {
      for (const [key, inner] of Object.entries(plain)) {
        add(inner, name === '' ? columnName(key) : `${name}.${columnName(key)}`, depth + 1);
      }
    }
  };
  add(object, '', 0);
  return record;
}
