import { withApp } from '../../app/context.js';
import { addPerson, assertPersonName, removePerson, setPassword, setRole, toRole } from '../../app/people.js';
import { readSecret } from '../../config/read-secret.js';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { roles } from '../../core/role.js';
import type { App } from '../../runtime/app.js';
import { widthOf } from '../../runtime/terminal.js';
import { askPassword } from '../../setup/ask-password.js';
import { personToJson, toPersonTable } from '../../views/person-table.js';
import { defineCommand, type Output } from '../command.js';

const forms =
  'expected firebreak user add NAME --role ROLE, user list, user password NAME, user role NAME ROLE or user remove NAME';

export const user = defineCommand({
  usage: 'user <action> [name] [new-role]',
  summary: 'add, list, change and remove the people who log in to the page',
  options: (argv) =>
    argv
      .positional('action', { type: 'string', demandOption: true, describe: 'add, list, password, role or remove' })
      .positional('name', { type: 'string', describe: 'name of the user, except for list' })
      .positional('new-role', { type: 'string', describe: 'for role: the new role' })
      .options({
        role: { type: 'string', requiresArg: true, describe: `for add: ${roles.join(', ')}` },
        'password-file': {
          type: 'string',
          requiresArg: true,
          describe: 'for add and password: file with the password; asked for by default',
        },
      }),
  run: ({ action, name = '', 'new-role': newRole, role, 'password-file': passwordFile }, caller) =>
    withApp(caller, (app) => {
      const isGiven = name !== '';
      if (action === 'list' && !isGiven) return list(app);
      if (action === 'add' && isGiven && role !== undefined) return add({ name, role, passwordFile }, app);
      if (action === 'password' && isGiven) return changePassword(name, passwordFile, app);
      if (action === 'role' && isGiven && newRole !== undefined) return changeRole(name, newRole, app);
      if (action === 'remove' && isGiven) return remove(name, app);
      throw new FirebreakError('usage', forms);
    }),
});

/** Never from the arguments, which every account of this host can read. */
async function readPassword(file: string | undefined): Promise<string> {
  if (file === undefined) return askPassword();
  try {
    return readSecret(file);
  } catch (error) {
    throw new FirebreakError('usage', `--password-file: ${describeError(error)}`, { cause: error });
  }
}

interface NewUser {
  name: string;
  role: string;
  passwordFile: string | undefined;
}

async function add({ name, role: text, passwordFile }: NewUser, app: App): Promise<Output> {
  const role = toRole(text);
  assertPersonName(name);
  await addPerson({ name, role, password: await readPassword(passwordFile) }, app);
  return { exit: 0, text: `${name} may log in as ${role}`, json: { name, role } };
}

async function changePassword(name: string, file: string | undefined, app: App): Promise<Output> {
  await setPassword(name, await readPassword(file), app);
  return { exit: 0, text: `${name} has a new password; all sessions of ${name} are ended`, json: { name } };
}

async function changeRole(name: string, text: string, app: App): Promise<Output> {
  const role = toRole(text);
  await setRole(name, role, app);
  return { exit: 0, text: `${name} is now ${role}; all sessions of ${name} are ended`, json: { name, role } };
}

async function remove(name: string, app: App): Promise<Output> {
  await removePerson(name, app);
  return { exit: 0, text: `${name} is removed; all sessions of ${name} are ended`, json: { name } };
}

async function list({ ledger }: App): Promise<Output> {
  const people = await ledger.findPeople();
  return { exit: 0, text: toPersonTable(people, widthOf()), json: { users: people.map(personToJson) } };
}
