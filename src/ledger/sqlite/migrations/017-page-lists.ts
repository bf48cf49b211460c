/** Indexes for the list of blocks in each order, and for the counts of states. */
export const addPageLists = `
  CREATE INDEX block_current ON block (created_at) WHERE state NOT IN ('released', 'refused');
  CREATE INDEX block_end ON block (ifnull(expires_at, 9e15)) WHERE state NOT IN ('released', 'refused');
  CREATE INDEX block_state ON block (state, firewall, proof, trouble);
  `;
