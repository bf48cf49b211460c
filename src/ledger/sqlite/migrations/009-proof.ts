export const addProof = `
  ALTER TABLE block ADD COLUMN proof TEXT;
  ALTER TABLE block ADD COLUMN proof_message TEXT;
  `;
