export const addFirewallNetworks = `
  CREATE TABLE firewall_network (
    firewall  TEXT    NOT NULL,
    interface TEXT    NOT NULL,
    network   TEXT    NOT NULL,
    seen_at   INTEGER NOT NULL,
    PRIMARY KEY (firewall, interface, network)
  ) STRICT, WITHOUT ROWID;
  `;
