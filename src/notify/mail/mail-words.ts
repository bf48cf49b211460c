/** Many mail programs cut a longer subject line. */
const maxSubject = 78;

/** The first of these that fits into a subject line, else the last one, cut; always in ASCII. */
export function fitSubject(...candidates: readonly string[]): string {
  const plain = candidates.map((text) => text.replace(/[^\x20-\x7e]/g, '?'));
  const last = plain.at(-1) ?? '';
  return plain.find((text) => text.length <= maxSubject) ?? `${last.slice(0, maxSubject - 1)}~`;
}

/** Cuts what a mail quotes. */
export const clip = (text: string, max = 600): string => (text.length > max ? `${text.slice(0, max)} ...` : text);
