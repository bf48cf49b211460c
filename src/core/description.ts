/** Longer than any platform takes: each cuts it to its own length. */
export const maxDescription = 255;

/** Of a text that goes to no firewall, such as the reason of a freeze. */
const usualLength = 52;

/**
 * What may stand in a rule's description: nothing that a shell, Jinja, YAML, XML or pf reads as more than a letter.
 * A description can otherwise smuggle in a second rule or make pf refuse the whole set.
 */
export function cleanText(text: string, maxLength: number): string {
  return text
    .replace(/[^A-Za-z0-9 .:_-]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, maxLength)
    .trim();
}

export const cleanDescription = (text: string): string => cleanText(text, usualLength);
