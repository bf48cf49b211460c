/** Tokens of the HTTP server: of the secret only its hash. */
export const addTokens = `
  CREATE TABLE token (
    name       TEXT    NOT NULL PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    scope      TEXT    NOT NULL,
    source     TEXT,
    networks   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    expires_at INTEGER
  ) STRICT, WITHOUT ROWID;
  `;
