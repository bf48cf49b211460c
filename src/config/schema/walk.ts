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

/** Gives the configuration with each leaf replaced; `change` gives a value of the same type. */
export function mapLeaves(schema: z.ZodType, config: Config, change: (leaf: Leaf) => unknown): Config {
  const map = (holder: z.ZodType, key: string, value: unknown): unknown => {
    const bare = unwrap(holder);
    if (bare instanceof z.ZodArray) return (value as unknown[]).map((each) => map(elementOf(bare), key, each));
    if (!(bare instanceof z.ZodObject || bare instanceof z.ZodRecord)) {
      return change({ key, value, fileKind: fileKindOf(bare) });
    }
    const entries = Object.entries(value as object).filter(([, each]) => each !== undefined);
    return Object.fromEntries(
      entries.map(([name, each]) => [name, map(childOf(bare, name), key === '' ? name : `${key}.${name}`, each)]),
    );
  };
  return map(schema, '', config) as Config; // the same keys, with values of the same types
}

export function listLeaves(schema: z.ZodType, config: Config): Leaf[] {
  const leaves: Leaf[] = [];
  mapLeaves(schema, config, (leaf) => leaves.push(leaf));
  return leaves;
}

/** A key as it can be written, or a section of keys. `NAME` stands for a name of the user's own. */
export interface SchemaKey {
  key: string;
  description: string;
  example: unknown;
  /** As it would be written; undefined where there is none. */
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

const isWrapper = (schema: z.ZodType): schema is z.ZodOptional | z.ZodDefault | z.ZodPrefault =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;

const unwrap = (schema: z.ZodType): z.ZodType => (isWrapper(schema) ? unwrap(schema.unwrap() as z.ZodType) : schema);

const defaultOf = (schema: z.ZodType): unknown =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;

const elementOf = (list: z.ZodArray): z.ZodType => list.element as z.ZodType;

const childOf = (holder: z.ZodObject | z.ZodRecord, name: string): z.ZodType =>
  (holder instanceof z.ZodObject ? holder.shape[name] : holder.valueType) as z.ZodType;
