/**
 * What a terminal or a log shows as it is: no control character but tab and line end, none that turns the writing
 * around. Whatever stands in a reason or an answer, it cannot move the cursor or forge a line that was not there.
 */
export const toPrintable = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- they are what is taken out
  text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?');

/** JSON with the same characters escaped: the document stays what it was. */
export const toPrintableJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
