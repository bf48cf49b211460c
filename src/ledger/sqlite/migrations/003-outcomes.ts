export const addOutcomes = `
  ALTER TABLE block ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
  UPDATE block SET asked_at = created_at;

  CREATE TABLE outcome (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    firewall TEXT    NOT NULL,
    block    TEXT    NOT NULL,
    ms       INTEGER NOT NULL,
    code     TEXT,
    reason   TEXT
  ) STRICT;
  CREATE INDEX outcome_at ON outcome (at);

  CREATE TABLE drift (
    at          INTEGER NOT NULL,
    firewall    TEXT    NOT NULL,
    differences INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX drift_at ON drift (at);
  `;
