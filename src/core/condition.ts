/** What must be true of a sender's document, as `rule.level >= 10`; without an operator, the field must be present. */
export interface Condition {
  path: string;
  operator: Operator | undefined;
  value: string;
}

const operators = ['==', '!=', '>=', '<=', '>', '<'] as const;
export type Operator = (typeof operators)[number];

export function parseCondition(text: string): Condition | undefined {
  const words = text.trim().split(/\s+/);
  const [path = '', sign, ...rest] = words;
  if (!isPath(path)) return undefined;
  if (sign === undefined) return { path, operator: undefined, value: '' };
  const operator = operators.find((each) => each === sign);
  const value = rest.join(' ').replace(/^(["'])(.*)\1$/, '$2');
  return operator === undefined || rest.length === 0 ? undefined : { path, operator, value };
}

/** A dot path in a JSON document: `event.fields.src_ip`, `backlog.0.message`. */
export const isPath = (text: string): boolean => text.length <= 200 && /^[\w@-]+(?:\.[\w@-]+)*$/.test(text);

/** Compares as numbers if both are, else as text. @param found undefined if the document has no such field */
export function meets(found: string | undefined, { operator, value }: Condition): boolean {
  if (found === undefined) return operator === '!=';
  if (operator === undefined) return true;
  const [one, other] = [found, value].map((text) => (text.trim() === '' ? NaN : Number(text))) as [number, number];
  const areNumbers = !Number.isNaN(one) && !Number.isNaN(other);
  switch (operator) {
    case '==':
      return areNumbers ? one === other : found === value;
    case '!=':
      return areNumbers ? one !== other : found !== value;
    case '>=':
      return areNumbers && one >= other;
    case '<=':
      return areNumbers && one <= other;
    case '>':
      return areNumbers && one > other;
    case '<':
      return areNumbers && one < other;
  }
}
