import { toTime } from '../../views/json.js';
import { renderPage } from '../page/html.js';
import { toRoute } from './page-route.js';

/** Who the visitor is, and where else the same person is logged in. */
export const account = toRoute({
  method: 'GET',
  path: '/account',
  role: 'viewer',
  handle: async ({ visitor, app }) => {
    const sessions = await app.ledger.findWebSessions(visitor.name, app.config.serve.page.idle);
    const shown = sessions.map(({ address, startedAt, seenAt }) => ({
      address,
      since: toTime(startedAt),
      used: toTime(seenAt),
    }));
    const context = { name: visitor.name, role: visitor.role, sessions: shown };
    return renderPage('account', { context, frame: { title: 'Account', visitor }, app });
  },
});
