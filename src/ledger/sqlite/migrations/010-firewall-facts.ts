/** What a firewall reported of itself, as JSON by name. */
export const addFirewallFacts = `
  CREATE TABLE firewall_fact (
    firewall TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    seen_at  INTEGER NOT NULL,
    PRIMARY KEY (firewall, name)
  ) STRICT, WITHOUT ROWID;
  `;
