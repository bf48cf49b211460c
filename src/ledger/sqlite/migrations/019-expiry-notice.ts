/** For which end of a block a notice was sent. The index has the long blocks without one: few, whatever else there is. */
export const addExpiryNotice = `
  ALTER TABLE block ADD COLUMN notice_for INTEGER;
  CREATE INDEX block_notice ON block (expires_at)
    WHERE state = 'active' AND expires_at - created_at >= 604800000 AND notice_for IS NOT expires_at;
  `;
