/** No sender's document is deeper. */
const deepest = 32;

/**
 * The value at a dot path, as text. Each part is a key, or an index of an array; an object may also have the rest of the
 * path as one key, as flattened ECS does. Undefined for what is missing, empty or not a plain value.
 */
export function readPath(document: unknown, path: string, toText: ToText = toPlain): string | undefined {
  return find(document, path.split('.').slice(0, deepest), toText);
}

function find(value: unknown, parts: readonly string[], toText: ToText): string | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) return toText(value);
  if (Array.isArray(value)) {
    const item: unknown = /^\d{1,4}$/.test(part) ? value[Number(part)] : undefined;
    return item === undefined ? undefined : find(item, rest, toText);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const own = (key: string): unknown =>
    Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  return find(own(part), rest, toText) ?? (rest.length > 0 ? toText(own(parts.join('.'))) : undefined);
}

type ToText = (value: unknown) => string | undefined;

/** For a field of several words: a list counts as all its plain values. */
export const toWords: ToText = (value) =>
  Array.isArray(value) ? value.flatMap((each) => toPlain(each) ?? []).join(' ') || undefined : toPlain(value);

/** A list of one value counts as the value. */
function toPlain(value: unknown): string | undefined {
  const plain: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof plain === 'string') return plain === '' ? undefined : plain;
  return typeof plain === 'number' || typeof plain === 'boolean' ? String(plain) : undefined;
}
