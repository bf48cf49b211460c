/** People who log in to the page, and their sessions: of a password and of a session only the hash. */
export const addPeople = `
  CREATE TABLE person (
    name       TEXT    NOT NULL PRIMARY KEY,
    role       TEXT    NOT NULL,
    password   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    by         TEXT    NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE web_session (
    hash       TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    via        TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX web_session_name ON web_session (name);
  `;
