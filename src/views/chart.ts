/** The geometry of a stacked bar chart: 10 units per slot, 100 units high. */
export interface BarChart {
  width: number;
  bars: { title: string; pieces: { x: number; y: number; height: number; kind: string }[] }[];
  /** The value at full height. */
  top: number;
  half: number;
}

const slotWidth = 10;
const maxLabels = 5;

/** One bar per slot, its pieces from the bottom up in the order of `kinds`. */
export function drawBars<K extends string>(
  slots: readonly (Record<K, number> & { name: string })[],
  kinds: readonly K[],
): BarChart {
  const heights = slots.map((slot) => kinds.reduce((sum, kind) => sum + slot[kind], 0));
  const top = roundUp(Math.max(1, ...heights));
  return {
    width: slots.length * slotWidth,
    top,
    half: top / 2,
    bars: slots.flatMap((slot, index) => {
      if (heights[index] === 0) return [];
      const amounts = kinds.filter((kind) => slot[kind] > 0).map((kind) => `${slot[kind]} ${kind}`);
      return { title: `${slot.name}: ${amounts.join(', ')}`, pieces: stackBars(slot, kinds, { index, top }) };
    }),
  };
}

/** A few labels along the axis, each at the middle of its slot, in percent. */
export function placeLabels(names: readonly string[]): { at: number; name: string }[] {
  const step = Math.max(1, Math.ceil(names.length / maxLabels));
  return names.flatMap((name, index) =>
    index % step === 0 ? { at: round(((index + 0.5) / names.length) * 100), name } : [],
  );
}

function stackBars<K extends string>(
  slot: Record<K, number>,
  kinds: readonly K[],
  { index, top }: { index: number; top: number },
) {
  let below = 0;
  return kinds.flatMap((kind) => {
    if (slot[kind] === 0) return [];
    const height = (slot[kind] / top) * 100;
    below += height;
    return { x: index * slotWidth + 1, y: round(100 - below), height: round(height), kind };
  });
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** The next even number that reads well: 2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, … */
function roundUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.ceil(Math.log10(value)) - 1);
  const step = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((each) => isEven(each * unit) && each * unit >= value);
  return Math.round((step ?? 10) * unit);
}

const isEven = (value: number): boolean => Math.round(value * 10) % 20 === 0;
