/**
 * Text that is safe for a terminal or a log: no control characters but tab and line end, none that reverse the
 * writing direction. Whatever a reason or an answer contains, it cannot move the cursor or forge a line.
 */
export const toPrintable = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- they are what is replaced
  text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?');

/** JSON with the same characters escaped, so that the document stays the same. */
export const toPrintableJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
