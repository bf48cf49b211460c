/** How many packets a block is known to have stopped, and how pf's counter stood at the last query; indexes for overviews. */
export const addPackets = `
  ALTER TABLE block ADD COLUMN packets INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE block ADD COLUMN packets_at INTEGER;
  ALTER TABLE block ADD COLUMN packet_counter INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX block_packets ON block (firewall, packets) WHERE state = 'active' AND packets > 0;
  CREATE INDEX block_proven ON block (firewall, proven_at) WHERE state = 'active';
  `;
