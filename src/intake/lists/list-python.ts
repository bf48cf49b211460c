/**
 * What Python prints for lists and dictionaries of strings, as JSON.
 * @returns undefined where a string has no end
 */
export function pythonToJson(text: string): string | undefined {
  let json = '';
  let at = 0;
  while (at < text.length) {
    const quote = text.charAt(at);
    if (quote !== "'" && quote !== '"') {
      const end = findQuote(text, at);
      json += text.slice(at, end).replace(/\b(?:True|False|None)\b/g, (word) => words[word] ?? word);
      at = end;
      continue;
    }
    const end = findEnd(text, at, quote);
    if (end === undefined) return undefined;
    json += JSON.stringify(text.slice(at + 1, end).replace(/\\(.)/g, '$1'));
    at = end + 1;
  }
  return json;
}

const words: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

function findQuote(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "'" && text[at] !== '"') at += 1;
  return at;
}

function findEnd(text: string, start: number, quote: string): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return undefined;
}
