/** Longer than any platform accepts: each truncates it to its own length. */
export const maxDescription = 255;

/** For a text that is not sent to a firewall, such as the reason of a freeze. */
const usualLength = 52;

/**
 * Reduces a rule's description to characters without a meaning in a shell, Jinja, YAML, XML or pf.
 * Otherwise a description could inject a second rule, or make pf refuse the whole rule set.
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
