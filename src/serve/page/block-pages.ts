import { freeze, unfreeze } from '../../app/freeze.js';
import type { Page } from '../people/page-route.js';
import { actions, type ActionName } from './block-actions.js';
import { actOnBlocks, showBlocks } from './block-list.js';
import { actOnBlock, showBlock } from './block-page.js';
import { seeOther } from './html.js';

/** The list, one block, all that can be done with them, and the freeze. */
export const blockPages: readonly Page[] = [
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
