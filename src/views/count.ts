/** `1 block`, `3 blocks`; `1 entry`, `3 entries`. */
export const count = (amount: number, noun: string, plural = `${noun}s`): string =>
  `${amount} ${amount === 1 ? noun : plural}`;
