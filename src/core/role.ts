/** What a person may do on the page; each role includes the ones before it. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export const includesRole = (granted: Role, needed: Role): boolean => roles.indexOf(granted) >= roles.indexOf(needed);

/** A local account, without its password. Times are milliseconds since the epoch. */
export interface Person {
  name: string;
  role: Role;
  createdAt: number;
  by: string;
}

/** A person who is logged in to the page. */
export interface WebSession {
  /** SHA-256 of its secret, in hex. */
  hash: string;
  name: string;
  role: Role;
  /** How the person logged in: `password` or `proxy`. */
  via: string;
  address: string;
  startedAt: number;
  seenAt: number;
}
