export const addComment = `
  ALTER TABLE block ADD COLUMN comment TEXT;
  `;
