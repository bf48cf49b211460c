import { findAction } from './block-actions.js';
import type { Flash } from './html.js';

/** What the page after a form says, as a code and a number: no text comes from the address. */
export const flashQuery = (done: string, many: number): Record<string, string> => ({ done, count: String(many) });

export function findFlash(query: URLSearchParams): Flash | undefined {
  const done = query.get('done') ?? '';
  const many = /^\d{1,6}$/.test(query.get('count') ?? '') ? Number(query.get('count')) : 0;
  if (done === 'freeze') return { tone: 'calm', text: 'All changes are frozen.' };
  if (done === 'unfreeze') return { tone: 'good', text: 'Changes are resumed.' };
  const action = findAction(done);
  if (action === undefined) return undefined;
  if (many === 0) return { tone: 'bad', text: 'Nothing was changed: no block is in such a state any more.' };
  return { tone: 'good', text: action.report(many) };
}
