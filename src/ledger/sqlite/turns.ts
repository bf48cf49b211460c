/** Waits for its turn. @returns what ends it, to be called whatever happens */
export type TakeTurn = () => Promise<() => void>;

/** Keeps tasks of this process apart: they have their turns in the order in which they asked. */
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
