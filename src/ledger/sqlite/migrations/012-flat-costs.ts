/** Indexes for what every alarm and every minute asks, so that it costs the same however much the ledger holds. */
export const addFlatCosts = `
  DROP INDEX block_of_destination;
  CREATE INDEX block_enforced ON block (firewall, destination)
    WHERE wanted = 'present' AND state IN ('pending', 'active', 'failed');
  CREATE INDEX block_over ON block (updated_at) WHERE state IN ('released', 'refused');
  CREATE INDEX outbox_done ON outbox (created_at) WHERE due_at IS NULL;
  `;
