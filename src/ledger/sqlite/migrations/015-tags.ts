/** Tags of blocks, as a JSON list: every query that returns a block needs them, and none begins with them. */
export const addTags = `
  ALTER TABLE block ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  `;
