/** The allowlist, and the grace times of released sources. */
export const addAllowances = `
  CREATE TABLE allowance (
    kind       TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    firewall   TEXT    NOT NULL,
    until      INTEGER,
    reason     TEXT    NOT NULL,
    by         TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    resolved   TEXT    NOT NULL,
    PRIMARY KEY (kind, address, firewall)
  ) STRICT, WITHOUT ROWID;
  `;
