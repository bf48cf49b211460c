import { freeze, unfreeze } from '../../app/freeze.js';
import { toHttpError } from '../http-error.js';
import type { Page, PageCall } from '../people/page-route.js';
import type { Reply } from '../route.js';
import { actions, type ActionName } from './block-actions.js';
import { actOnBlocks, showBlocks } from './block-list.js';
import { actOnBlock, showBlock } from './block-page.js';
import { renderPage, seeOther } from './html.js';

/** An error as a page: a browser shows it to a person. */
const carefully =
  (handle: Page['handle']): Page['handle'] =>
  async (call, server) => {
    try {
      return await handle(call, server);
    } catch (error) {
      const known = toHttpError(error);
      if (known === undefined) throw error;
      return showError(call, known.status, known.message);
    }
  };

function showError({ visitor, app }: PageCall, status: number, message: string): Promise<Reply> {
  const title = status === 404 ? 'Not found' : 'That did not work';
  return renderPage('error', { context: { title, message }, frame: { title, visitor, status }, app });
}

const pages: readonly Page[] = [
  { method: 'GET', path: '/', role: 'viewer', handle: showBlocks },
  { method: 'GET', path: '/blocks/{id}', role: 'viewer', handle: showBlock },
  { method: 'POST', path: '/blocks', role: 'operator', handle: actOnBlocks },
  ...(Object.keys(actions) as ActionName[]).map((name): Page => ({
    ...{ method: 'POST', path: `/blocks/{id}/${name}`, role: actions[name].role },
    handle: (call, server) => actOnBlock(name, call, server),
  })),
  {
    ...{ method: 'POST', path: '/freeze', role: 'admin' },
    handle: async ({ form, app }) => {
      await freeze(form.get('reason') ?? '', app);
      return seeOther('/?done=freeze');
    },
  },
  {
    ...{ method: 'POST', path: '/unfreeze', role: 'admin' },
    handle: async ({ app }, server) => {
      await unfreeze(app);
      server.applier.kick(Object.keys(app.config.firewalls));
      return seeOther('/?done=unfreeze');
    },
  },
];

/** The list, one block, all that can be done with them, and the freeze. */
export const blockPages: readonly Page[] = pages.map((page) => ({ ...page, handle: carefully(page.handle) }));
