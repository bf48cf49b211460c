export const addFeeds = `
  CREATE TABLE feed (
    name       TEXT    NOT NULL PRIMARY KEY,
    seq        INTEGER NOT NULL,
    sender     TEXT,
    held_until INTEGER NOT NULL
  ) STRICT;
  `;
