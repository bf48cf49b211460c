/** pf cuts a label at 63 bytes, eleven of which are pfSense's own prefix "USER_RULE: ". */
const longest = 52;

/**
 * What may stand in a rule's description: nothing that a shell, Jinja, YAML, XML or pf reads as more than a letter.
 * A description can otherwise smuggle in a second rule or make pf refuse the whole set.
 */
export function cleanDescription(text: string): string {
  return text
    .replace(/[^A-Za-z0-9 .:_-]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, longest)
    .trim();
}
