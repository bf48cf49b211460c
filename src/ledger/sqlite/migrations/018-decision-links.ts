/** Links in messages, each of which decides once on these blocks: of the link only the hash. */
export const addDecisionLinks = `
  CREATE TABLE decision_link (
    hash       TEXT    NOT NULL PRIMARY KEY,
    blocks     TEXT    NOT NULL,
    sent_by    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `;
