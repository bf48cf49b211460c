/** `100,001`. */
export const formatNumber = (amount: number): string => amount.toLocaleString('en-US');

/** `1 block`, `3 blocks`; `1 entry`, `3 entries`. */
export const count = (amount: number, noun: string, plural = `${noun}s`): string =>
  `${amount} ${amount === 1 ? noun : plural}`;
