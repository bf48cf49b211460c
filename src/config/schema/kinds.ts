import * as z from 'zod';
import { nat64Lengths, parseAddress, parseRange, type Address } from '../../core/address.js';
import { formatDuration, parseDuration } from '../../core/duration.js';

// The schema is used once per process: compiling it first would cost more than it saves.
z.config({ jitless: true });

/**
 * Describes a key, in Markdown; docs/configuration.md, the JSON Schema and `config --explain` are made from it.
 * Registers instead of `.meta()`, which copies the schema: 3 ms for all keys instead of 0.2 ms.
 */
export function key<T extends z.ZodType>(schema: T, description: string, example?: z.input<T>): T {
  z.globalRegistry.add(schema, { description, ...(example === undefined ? {} : { examples: [example] }) });
  return schema;
}

/** Writes the values that a key accepts, for its description. */
export const listValues = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

/**
 * What loading does with a value that names a file.
 * - `path`: resolved against the configuration's folder; it need not exist.
 * - `file`: resolved; it must exist, and only root or this account may be able to change it.
 * - `secretFile`: as `file`, and others must not be able to read it.
 * - `program`: not resolved; checked like a `file` where it is given as a path and exists.
 * - `protected`: an entry of a protected list, whose `@FILE` is read.
 */
export type FileKind = 'path' | 'file' | 'secretFile' | 'program' | 'protected';

const fileKinds = new WeakMap<z.ZodType, FileKind>();

export const fileKindOf = (schema: z.ZodType): FileKind | undefined => fileKinds.get(schema);

function mark<T extends z.ZodType>(schema: T, kind: FileKind): T {
  fileKinds.set(schema, kind);
  return schema;
}

export const path = mark(z.string().min(1), 'path');
export const file = mark(z.string().min(1), 'file');
export const secretFile = mark(z.string().min(1), 'secretFile');
export const program = mark(z.string().min(1), 'program');

type Problem = z.core.$ZodRawIssue;

const problem = (message: string, input: string): Problem => ({ code: 'custom', message, input });

/** A duration as text, and in milliseconds; null means forever. */
export const duration = z.codec(z.string(), z.number().nullable(), {
  decode: (text, { issues }) => {
    const ms = parseDuration(text);
    if (ms !== undefined) return ms;
    issues.push(problem('expected a duration such as 30m, 24h, 7d or forever', text));
    return z.NEVER;
  },
  encode: formatDuration,
});

/** A finite duration, as text and in milliseconds. */
export const timeLimit = z.codec(z.string(), z.number(), {
  decode: (text, { issues }) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms !== null) return ms;
    issues.push(problem('expected a time such as 60s or 5m', text));
    return z.NEVER;
  },
  encode: formatDuration,
});

/** A finite duration, or 0 for what is turned off. */
export const offOrTimeLimit = z.codec(z.union([z.literal(0), z.string()]), z.number(), {
  decode: (value, { issues }) => {
    const ms = value === 0 || value === '0' ? 0 : parseDuration(value);
    if (ms !== undefined && ms !== null) return ms;
    issues.push(problem('expected a time such as 60s or 5m, or 0', String(value)));
    return z.NEVER;
  },
  encode: (ms) => (ms === 0 ? 0 : formatDuration(ms)),
});

export const address = z.codec(z.string(), z.custom<Address>(), {
  decode: (text, { issues }) => {
    const parsed = parseAddress(text);
    if (parsed.ok) return parsed.address;
    issues.push(problem(parsed.message, text));
    return z.NEVER;
  },
  encode: ({ text }) => text,
});

export const nat64Prefix = address.refine(
  ({ family, prefix }) => family === 'inet6' && nat64Lengths.includes(prefix),
  `expected an IPv6 prefix of length ${nat64Lengths.join(', ')}`,
);

/** An entry of policy.never_block. The networks of an `@file` are read when the configuration is loaded. */
export interface Protected {
  text: string;
  networks: Address[];
  /** The list's file, by its full path. */
  file?: string;
  /** Why the last good content is in force instead of the file's; or why nothing is. */
  warning?: string;
}

export const protectedEntry = mark(
  z.codec(z.string(), z.custom<Protected>(), {
    decode: (text, { issues }): Protected => {
      if (text.startsWith('@') && text.length > 1) return { text, networks: [] };
      const parsed = parseRange(text);
      if (parsed.ok) return { text, networks: parsed.networks };
      issues.push(problem(parsed.message, text));
      return z.NEVER;
    },
    encode: ({ text }) => text,
  }),
  'protected',
);

export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'expected letters, digits, ".", "_" or "-"');

export const port = z.int('expected 1-65535').min(1, 'expected 1-65535').max(65535, 'expected 1-65535');
