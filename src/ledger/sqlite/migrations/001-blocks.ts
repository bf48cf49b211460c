export const addBlocks = `
  CREATE TABLE block (
    seq           INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    firewall      TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    interface     TEXT    NOT NULL,
    ipprotocol    TEXT    NOT NULL,
    protocol      TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    destination   TEXT    NOT NULL,
    port          TEXT    NOT NULL,
    tracker       INTEGER NOT NULL,
    description   TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    wanted        TEXT    NOT NULL,
    revision      INTEGER NOT NULL,
    carried       INTEGER NOT NULL,
    tried         INTEGER NOT NULL,
    changed       INTEGER NOT NULL,
    alarms        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    proven_at     INTEGER,
    due_at        INTEGER,
    failures      INTEGER NOT NULL,
    failing_since INTEGER,
    trouble       TEXT,
    code          TEXT,
    reason        TEXT,
    run           TEXT,
    override      TEXT
  ) STRICT;
  CREATE UNIQUE INDEX block_of_flow
    ON block (source, firewall, destination, port, protocol, interface, type, ipprotocol)
    WHERE state NOT IN ('released', 'refused');
  CREATE UNIQUE INDEX block_of_tracker ON block (firewall, tracker) WHERE state NOT IN ('released', 'refused');
  CREATE INDEX block_due ON block (firewall, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX block_expiring ON block (expires_at) WHERE wanted = 'present' AND expires_at IS NOT NULL;
  CREATE INDEX block_of_source ON block (source, created_at);
  CREATE INDEX block_created ON block (created_at);

  CREATE TABLE alarm (
    id          TEXT    NOT NULL PRIMARY KEY,
    received_at INTEGER NOT NULL,
    origin      TEXT    NOT NULL,
    message     TEXT,
    context     TEXT    NOT NULL
  ) STRICT;
  CREATE INDEX alarm_of_message ON alarm (message) WHERE message IS NOT NULL;
  CREATE INDEX alarm_received ON alarm (received_at);

  CREATE TABLE alarm_block (
    alarm TEXT NOT NULL,
    block TEXT NOT NULL,
    PRIMARY KEY (block, alarm)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX block_of_alarm ON alarm_block (alarm);

  CREATE TABLE lease (
    firewall   TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT,
    process    TEXT,
    fence      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    run        TEXT
  ) STRICT;

  CREATE TABLE run (
    id         TEXT    NOT NULL PRIMARY KEY,
    firewall   TEXT    NOT NULL,
    fence      INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ms         INTEGER,
    batch      INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX run_started ON run (started_at);

  CREATE TABLE waiter (
    id         TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
  ) STRICT;

  CREATE INDEX block_of_destination ON block (destination, firewall) WHERE wanted = 'present';
  CREATE INDEX block_held ON block (state) WHERE state = 'held';

  CREATE TABLE freeze (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    at     INTEGER NOT NULL,
    by     TEXT    NOT NULL,
    reason TEXT    NOT NULL
  ) STRICT;

  CREATE TABLE audit_head (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash TEXT    NOT NULL
  ) STRICT;

  CREATE TABLE session (
    id         TEXT    NOT NULL PRIMARY KEY,
    process    TEXT,
    expires_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE clock (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    wall   INTEGER NOT NULL,
    uptime INTEGER NOT NULL,
    boot   TEXT    NOT NULL
  ) STRICT;
  `;
