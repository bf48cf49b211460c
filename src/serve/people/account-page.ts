import { isPassword } from '../../app/passwords.js';
import { assertPassword, setPassword } from '../../app/people.js';
import { FirebreakError } from '../../core/errors.js';
import { momentOf } from '../../views/block-row.js';
import { renderPage, seeOther } from '../page/html.js';
import type { Reply } from '../route.js';
import type { Page, PageCall } from './page-route.js';

/** Who the visitor is, where else the same person is logged in, and the password. */
async function showAccount({ visitor, app }: PageCall, problem?: string): Promise<Reply> {
  const sessions = await app.ledger.findWebSessions(visitor.name, app.config.serve.page.idle);
  const now = await app.ledger.now();
  const shown = sessions.map(({ address, startedAt, seenAt }) => ({
    address,
    since: momentOf(startedAt, now),
    used: momentOf(seenAt, now),
  }));
  const context = { name: visitor.name, role: visitor.role, sessions: shown, problem: problem ?? null };
  const status = problem === undefined ? 200 : 400;
  return renderPage('account', { context, frame: { title: 'Account', visitor, status }, app });
}

/** Ends all sessions of this person, this one too: whoever knew the old password is logged out. */
async function changePassword(call: PageCall): Promise<Reply> {
  const { form, visitor, app } = call;
  const problem = await findProblem(form, visitor.name, app);
  if (problem !== undefined) return showAccount(call, problem);
  await setPassword(visitor.name, form.get('new') ?? '', app);
  return seeOther('/login');
}

async function findProblem(
  form: URLSearchParams,
  name: string,
  { ledger }: PageCall['app'],
): Promise<string | undefined> {
  const person = await ledger.findPerson(name);
  if (!(await isPassword(form.get('old') ?? '', person?.password))) return 'The current password is wrong.';
  if (form.get('new') !== form.get('again')) return 'The two new passwords differ.';
  try {
    assertPassword(form.get('new') ?? '');
  } catch (error) {
    if (error instanceof FirebreakError) return `New password: ${error.message}.`;
    throw error;
  }
  return undefined;
}

export const accountPages: readonly Page[] = [
  { method: 'GET', path: '/account', role: 'viewer', handle: (call) => showAccount(call) },
  { method: 'POST', path: '/account', role: 'viewer', handle: changePassword },
];
