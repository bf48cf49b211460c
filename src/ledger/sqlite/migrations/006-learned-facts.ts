export const addLearnedFacts = `
  ALTER TABLE alarm ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX alarm_counted ON alarm (received_at) WHERE counted = 1;

  ALTER TABLE firewall_address ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE address_change (
    firewall TEXT    NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    added    TEXT    NOT NULL,
    removed  TEXT    NOT NULL,
    told     INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE asking (
    firewall TEXT    NOT NULL PRIMARY KEY,
    asked_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE caller (
    address TEXT    NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE audit_head ADD COLUMN keyed INTEGER NOT NULL DEFAULT 0;

  ALTER TABLE session ADD COLUMN caller TEXT;
  ALTER TABLE session ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
  `;
