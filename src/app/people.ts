import { FirebreakError, quoteBack } from '../core/errors.js';
import { roles, type Role } from '../core/role.js';
import type { App } from '../runtime/app.js';
import { hashPassword } from './passwords.js';

const minLength = 12;
const maxLength = 256;

export const isPersonName = (text: string): boolean => /^[a-z0-9._@-]{1,64}$/.test(text);

/** @throws FirebreakError usage */
export function assertPassword(password: string): void {
  if (password.length >= minLength && password.length <= maxLength) return;
  throw new FirebreakError('usage', `expected a password of ${minLength} to ${maxLength} characters`);
}

/** Checked before a password is asked for. @throws FirebreakError usage */
export function toRole(text: string): Role {
  const role = roles.find((each) => each === text);
  if (role !== undefined) return role;
  throw new FirebreakError('usage', `expected a role: ${roles.join(', ')}; got ${quoteBack(text)}`);
}

/** @throws FirebreakError usage */
export function assertPersonName(name: string): void {
  if (isPersonName(name)) return;
  throw new FirebreakError(
    'usage',
    `expected a name of at most 64 lower-case letters, digits, ".", "_", "@" or "-", got ${quoteBack(name)}`,
  );
}

/** @throws FirebreakError usage */
export async function addPerson(person: { name: string; role: Role; password: string }, app: App): Promise<void> {
  const { name, role, password } = person;
  assertPersonName(name);
  assertPassword(password);
  if (await app.ledger.addPerson({ name, role, password: await hashPassword(password) })) return;
  throw new FirebreakError('usage', `there is a user named ${name} already; use user password or user role`);
}

/** Ends all sessions of this person. @throws FirebreakError usage */
export async function setPassword(name: string, password: string, app: Pick<App, 'ledger'>): Promise<void> {
  assertPassword(password);
  if (!(await app.ledger.changePerson(name, { password: await hashPassword(password) }))) throw unknownPerson(name);
}

/** Ends all sessions of this person. @throws FirebreakError usage */
export async function setRole(name: string, role: Role, { ledger }: App): Promise<void> {
  if (!(await ledger.changePerson(name, { role }))) throw unknownPerson(name);
}

/** Ends all sessions of this person. @throws FirebreakError usage */
export async function removePerson(name: string, { ledger }: App): Promise<void> {
  if (!(await ledger.removePerson(name))) throw unknownPerson(name);
}

const unknownPerson = (name: string): FirebreakError =>
  new FirebreakError('usage', `no user is named ${quoteBack(name)}; run firebreak user list to see them`);
