export const addChores = `
  CREATE TABLE chore (
    name    TEXT    NOT NULL PRIMARY KEY,
    done_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX run_of_firewall ON run (firewall, started_at);
  CREATE INDEX outcome_of_block ON outcome (block);
  `;
