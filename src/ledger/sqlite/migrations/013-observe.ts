/** Firewalls on which alarms are dry runs. */
export const addObserve = `
  CREATE TABLE observe (
    firewall TEXT    NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    by       TEXT    NOT NULL
  ) STRICT, WITHOUT ROWID;
  `;
