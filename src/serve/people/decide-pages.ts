import { requestDecision } from '../../app/decide.js';
import type { Block } from '../../core/block.js';
import { hashToken } from '../../core/token.js';
import type { DecisionLink } from '../../ledger/ledger.js';
import { toBlockRow } from '../../views/block-row.js';
import { count } from '../../views/count.js';
import { HttpError } from '../http-error.js';
import { renderPage } from '../page/html.js';
import type { Call, Reply, Route, Server } from '../route.js';
import { toOpenRoute } from './open-page.js';

/** How many rows the page lists. */
const maxListed = 100;

const hashOf = ({ params }: Call): string => hashToken(params['secret'] ?? '');

/** @throws HttpError 404 */
function assertValid(link: DecisionLink | undefined): asserts link is DecisionLink {
  if (link === undefined)
    throw new HttpError(404, 'not_found', 'this link was used, has expired, or never was; log in to decide');
}

/** What the link decides on, and the question. Whoever follows a link, such as a mail scanner, changes nothing. */
async function ask(call: Call, { app }: Server): Promise<Reply> {
  const link = await app.ledger.findDecisionLink(hashOf(call));
  assertValid(link);
  const blocks = await app.ledger.findBlocks({ ids: link.blocks, states: ['held'] });
  return showDecision(
    blocks,
    { title: `Approve or reject ${count(blocks.length, 'held block')}`, mayDecide: true },
    app,
  );
}

/** Uses the link up, and decides on those of its blocks that are still held. */
async function decide(call: Call, form: URLSearchParams, server: Server): Promise<Reply> {
  const decision = form.get('decision');
  if (decision !== 'approve' && decision !== 'reject') throw new HttpError(400, 'usage', 'expected a decision');
  const { app } = server;
  const link = await app.ledger.takeDecisionLink(hashOf(call));
  assertValid(link);
  const actor = `the link sent by ${link.sentBy}, from ${call.address}`;
  const blocks = await requestDecision(
    decision,
    { ids: link.blocks, reason: form.get('reason') ?? '' },
    { ...app, actor, ledger: app.ledger.as(actor) },
  );
  server.applier.kick(blocks.flatMap(({ dueAt, firewall }) => (dueAt === null ? [] : [firewall])));
  const title = `${decision === 'approve' ? 'Approved' : 'Rejected'}: ${count(blocks.length, 'block')}`;
  return showDecision(blocks, { title, mayDecide: false }, app);
}

async function showDecision(
  blocks: readonly Block[],
  { title, mayDecide }: { title: string; mayDecide: boolean },
  app: Server['app'],
): Promise<Reply> {
  const now = await app.ledger.now();
  const context = {
    title,
    mayDecide: mayDecide && blocks.length > 0,
    rows: blocks.slice(0, maxListed).map((block) => toBlockRow({ block, origin: null }, now)),
    rest: blocks.length > maxListed ? `${count(blocks.length - maxListed, 'more block')}.` : '',
  };
  return renderPage('decide', { context, frame: { title }, app });
}

/** The pages behind the links in messages. */
export const decideRoutes: readonly Route[] = [
  toOpenRoute({ method: 'GET', path: '/decide/{secret}', handle: (call, _, server) => ask(call, server) }),
  toOpenRoute({ method: 'POST', path: '/decide/{secret}', handle: decide }),
];
