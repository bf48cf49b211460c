import * as z from 'zod';
import type { Config } from '../schema.js';
import { fileKindOf, type FileKind } from './kinds.js';

/** A value of the configuration that holds no other keys. */
export interface Leaf {
  /** `firewalls.edge.port`; an entry of a list has the key of its list. */
  key: string;
  value: unknown;
  fileKind: FileKind | undefined;
}

/** Returns the configuration with each leaf replaced; `change` must return a value of the same type. */
export const mapLeaves = (schema: z.ZodType, config: Config, change: (leaf: Leaf) => unknown): Config =>
  mapBelow(schema, { key: '', value: config }, change) as Config; // the same keys, with values of the same types

function mapBelow(schema: z.ZodType, at: Pick<Leaf, 'key' | 'value'>, change: (leaf: Leaf) => unknown): unknown {
  const bare = unwrap(schema);
  const { type } = bare.def;
  if (type === 'array') {
    return (at.value as unknown[]).map((value) => mapBelow(elementOf(bare), { key: at.key, value }, change));
  }
  if (type !== 'object' && type !== 'record') return change({ ...at, fileKind: fileKindOf(bare) });
  const mapped = Object.entries(at.value as object).map(([name, value]: [string, unknown]) => {
    const key = at.key === '' ? name : `${at.key}.${name}`;
    return [name, value === undefined ? value : mapBelow(childOf(bare, name), { key, value }, change)];
  });
  return Object.fromEntries(mapped);
}

/** A key as written in the file, or a section of keys. `NAME` is a placeholder for a name that the user chooses. */
export interface SchemaKey {
  key: string;
  description: string;
  example: unknown;
  /** As written in the file; undefined if there is none. */
  default: unknown;
  isRequired: boolean;
  isSection: boolean;
}

/** Lists sections and keys in the schema's order, each section before its keys. */
export function listKeys(schema: z.ZodType, prefix = ''): SchemaKey[] {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodRecord) return listKeys(bare.valueType as z.ZodType, `${prefix}NAME.`);
  if (!(bare instanceof z.ZodObject)) return [];
  return Object.entries(bare.shape as Record<string, z.ZodType>).flatMap(([name, child]) => {
    const below = listKeys(child, `${prefix}${name}.`);
    const { description = '', examples } = z.globalRegistry.get(child) ?? {};
    const described: SchemaKey = {
      key: `${prefix}${name}`,
      description,
      example: Array.isArray(examples) ? examples[0] : undefined,
      default: defaultOf(child),
      isRequired: !child.safeParse(undefined).success,
      isSection: below.length > 0,
    };
    return [described, ...below];
  });
}

const defaultOf = (schema: z.ZodType): unknown =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;

// Each launcher walks the schema once, in these functions: comparing the type's name is several times faster than
// `instanceof`, which zod computes. The name implies the class that the casts name.

function unwrap(schema: z.ZodType): z.ZodType {
  const { type } = schema.def;
  if (type !== 'optional' && type !== 'default' && type !== 'prefault') return schema;
  return unwrap((schema as z.ZodOptional).def.innerType as z.ZodType);
}

const elementOf = (list: z.ZodType): z.ZodType => (list as z.ZodArray).def.element as z.ZodType;

const childOf = (holder: z.ZodType, name: string): z.ZodType =>
  holder.def.type === 'object'
    ? ((holder as z.ZodObject).def.shape[name] as z.ZodType)
    : ((holder as z.ZodRecord).def.valueType as z.ZodType);
