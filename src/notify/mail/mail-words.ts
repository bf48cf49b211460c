/** A subject line longer than this is cut by many a mail program. */
const longestSubject = 78;

/** The first of these that fits into a subject line, else the last one, cut. Never a sign that is not ASCII. */
export function fitSubject(...candidates: readonly string[]): string {
  const plain = candidates.map((text) => text.replace(/[^\x20-\x7e]/g, '?'));
  const last = plain.at(-1) ?? '';
  return plain.find((text) => text.length <= longestSubject) ?? `${last.slice(0, longestSubject - 1)}~`;
}

/** `1 block`, `3 blocks`. */
export const count = (many: number, thing: string): string => `${many} ${thing}${many === 1 ? '' : 's'}`;

/** What a mail quotes of others is no longer than this. */
export const clip = (text: string, most = 600): string => (text.length > most ? `${text.slice(0, most)} ...` : text);
