import type { Person } from '../core/role.js';
import { toTime } from './json.js';
import { toTable } from './table.js';

/** The local accounts as a table. @param width in columns */
export function toPersonTable(people: readonly Person[], width = 80): string {
  if (people.length === 0) return 'no users';
  const rows = people.map(({ name, role, createdAt, by }) => [name, role, toTime(createdAt) ?? '', by]);
  return toTable(['NAME', 'ROLE', 'SINCE', 'BY'], rows, { width });
}

export const personToJson = ({ name, role, createdAt, by }: Person): object => ({
  name,
  role,
  created_at: toTime(createdAt),
  by,
});
