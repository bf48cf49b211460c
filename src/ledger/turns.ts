/** Waits for a turn. @returns a function that ends it, which must always be called */
export type TakeTurn = () => Promise<() => void>;

/** Serialises tasks of this process, in the order in which they request a turn. */
export function makeTurns(): TakeTurn {
  let last = Promise.resolve();
  return async () => {
    const before = last;
    let endTurn = (): void => undefined;
    last = new Promise((resolve) => {
      endTurn = resolve;
    });
    await before;
    return endTurn;
  };
}
