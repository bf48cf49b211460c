/** The most tags of one block. */
export const maxTags = 8;

export const isTag = (text: string): boolean => /^[a-z0-9-]{1,32}$/.test(text);

/** The tags of a block after another alarm: those that it has stay, and new ones are added while there is room. */
export const addTags = (known: readonly string[], added: readonly string[]): readonly string[] =>
  added.length === 0 ? known : [...new Set([...known, ...added])].slice(0, maxTags);
