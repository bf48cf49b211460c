export const addFirewallAddresses = `
  CREATE TABLE firewall_address (
    firewall TEXT NOT NULL,
    address  TEXT NOT NULL,
    PRIMARY KEY (firewall, address)
  ) STRICT, WITHOUT ROWID;
  `;
