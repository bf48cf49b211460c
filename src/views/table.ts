/**
 * Columns under headings, two spaces between, as wide as what is in them. Where that is wider than it may be, the widest
 * give way, and what does not fit goes on in the next line.
 * @param right numbers and times, which stand to the right and are never broken
 */
export function toTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { right = new Set(), width = Infinity }: { right?: ReadonlySet<string>; width?: number } = {},
): string {
  const natural = headings.map((heading, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), heading.length),
  );
  const isRight = headings.map((heading) => right.has(heading));
  const widths = fit(natural, isRight, width);
  return [headings, ...rows].flatMap((row) => toLines(row, widths, isRight)).join('\n');
}

/** A column of words gets no narrower than this. */
const narrowest = 8;

function fit(natural: readonly number[], isRight: readonly boolean[], width: number): number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, each) => sum + each + 2, -2);
  while (total() > width) {
    const widest = Math.max(...widths.filter((_, column) => isRight[column] !== true));
    if (!(widest > narrowest)) break;
    widths[widths.findIndex((each, column) => each === widest && isRight[column] !== true)] = widest - 1;
  }
  return widths;
}

function toLines(cells: readonly string[], widths: readonly number[], isRight: readonly boolean[]): string[] {
  const broken = widths.map((width, column) => breakWords(cells[column] ?? '', width));
  const height = Math.max(1, ...broken.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, column) => {
        const text = broken[column]?.[line] ?? '';
        return isRight[column] === true ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** At spaces where there are some, else where the room ends. */
function breakWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > 0 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}
