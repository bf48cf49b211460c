/** Many mail programs truncate a longer subject line. */
const maxSubject = 78;

/** The first candidate that fits a subject line, else the last one, truncated; always ASCII. */
export function fitSubject(...candidates: readonly string[]): string {
  const plain = candidates.map((text) => text.replace(/[^\x20-\x7e]/g, '?'));
  const last = plain.at(-1) ?? '';
  return plain.find((text) => text.length <= maxSubject) ?? `${last.slice(0, maxSubject - 1)}~`;
}

/** Truncates a quoted text. */
export const clip = (text: string, max = 600): string => (text.length > max ? `${text.slice(0, max)} ...` : text);
