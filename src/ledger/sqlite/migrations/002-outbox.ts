export const addOutbox = `
  CREATE TABLE outbox (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    due_at     INTEGER,
    sender     TEXT,
    handing    INTEGER NOT NULL DEFAULT 0,
    doubts     INTEGER NOT NULL DEFAULT 0,
    tries      INTEGER NOT NULL DEFAULT 0,
    sent_at    INTEGER,
    trouble    TEXT
  ) STRICT;
  CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE incident (
    firewall TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    began_at INTEGER NOT NULL,
    told     INTEGER NOT NULL,
    told_at  INTEGER NOT NULL,
    PRIMARY KEY (firewall, cause)
  ) STRICT, WITHOUT ROWID;
  `;
