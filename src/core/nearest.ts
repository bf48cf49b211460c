/** The name that a mistyped one most likely meant; undefined if none is close. */
export function findNearest(typed: string, names: readonly string[]): string | undefined {
  const limit = typed.length <= 4 ? 1 : 2;
  const near = names
    .map((name) => ({ name, edits: countEdits(typed, name) }))
    .filter(({ name, edits }) => edits <= limit || (typed.length >= 3 && name.startsWith(typed)))
    .sort((one, other) => one.edits - other.edits);
  return near[0]?.name;
}

/** Inserted, deleted, replaced and swapped neighbouring letters (optimal string alignment). */
function countEdits(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const at = (back: number, left: number): number => rows[i - back]?.[j - left] ?? Infinity;
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          at(1, 0) + 1,
          (row[j - 1] ?? Infinity) + 1,
          at(1, 1) + (one[i - 1] === other[j - 1] ? 0 : 1),
          isSwapped ? at(2, 2) + 1 : Infinity,
        ),
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? Infinity;
}
