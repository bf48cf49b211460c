/**
 * Columns under headings, two spaces between them, as wide as their content. If the table is too wide, the widest columns
 * shrink, and their text wraps.
 * @param right columns of numbers and times, which are aligned to the right and never wrapped
 */
export function toTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const table = beginTable(headings, options);
  table.measure(rows);
  return table.render([headings, ...rows]);
}

export interface TableOptions {
  right?: ReadonlySet<string>;
  width?: number;
  /** Columns that are left out while the table is too wide, the first one first. */
  optional?: readonly string[];
}

type Rows = readonly (readonly string[])[];

/** A table that is written piece by piece: first all rows are measured, then they are rendered. */
export function beginTable(headings: readonly string[], options: TableOptions = {}) {
  const { right = new Set(), width = Infinity, optional = [] } = options;
  const isRight = headings.map((heading) => right.has(heading));
  let natural = headings.map((heading) => heading.length);
  let widths: number[] | undefined;
  const dropped: string[] = [];
  return {
    measure: (rows: Rows): void => {
      natural = natural.map((known, column) =>
        rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), known),
      );
    },
    /** Leaves out columns, before anything is rendered. */
    drop: (...columns: readonly string[]): void => void dropped.push(...columns),
    render: (rows: Rows): string => {
      const kept = natural.map((each, column) => (dropped.includes(headings[column] ?? '') ? omitted : each));
      widths ??= fit(omit(kept, { headings, optional, width }), isRight, width);
      return rows.flatMap((row) => toLines(row, widths ?? natural, isRight)).join('\n');
    },
  };
}

/** The width of an omitted column. */
const omitted = -2;

/** Omits optional columns until the rest fits. */
function omit(
  natural: readonly number[],
  { headings, optional, width }: { headings: readonly string[]; optional: readonly string[]; width: number },
): number[] {
  const widths = [...natural];
  for (const heading of optional) {
    if (totalOf(widths) <= width) break;
    widths[headings.indexOf(heading)] = omitted;
  }
  return widths;
}

/** With two spaces between columns. */
const totalOf = (widths: readonly number[]): number => widths.reduce((sum, each) => sum + each + 2, -2);

/** A text column does not get narrower than this. */
const minWidth = 8;

function fit(natural: readonly number[], isRight: readonly boolean[], width: number): number[] {
  const widths = [...natural];
  while (totalOf(widths) > width) {
    const widest = Math.max(...widths.filter((_, column) => isRight[column] !== true));
    if (!(widest > minWidth)) break;
    widths[widths.findIndex((each, column) => each === widest && isRight[column] !== true)] = widest - 1;
  }
  return widths;
}

function toLines(cells: readonly string[], widths: readonly number[], isRight: readonly boolean[]): string[] {
  const wrapped = widths.map((width, column) => (width === omitted ? [] : wrapText(cells[column] ?? '', width)));
  const height = Math.max(1, ...wrapped.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .flatMap((width, column) => {
        if (width === omitted) return [];
        const text = wrapped[column]?.[line] ?? '';
        return isRight[column] === true ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Breaks at spaces if possible, else at the width. */
export function wrapText(text: string, width: number): string[] {
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
