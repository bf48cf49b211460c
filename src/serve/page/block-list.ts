import { browse, findAllMatching, maxBulk, type Filter } from '../../app/browse.js';
import { blockStates, type Block } from '../../core/block.js';
import type { History } from '../../core/stats.js';
import type { App } from '../../runtime/app.js';
import { toBlockRow, type Tone } from '../../views/block-row.js';
import { count, formatNumber } from '../../views/count.js';
import type { PageCall } from '../people/page-route.js';
import { HttpError } from '../http-error.js';
import type { Reply, Server } from '../route.js';
import { actions, findAction, type Action } from './block-actions.js';
import { findFlash, flashQuery } from './flash.js';
import { renderPage, seeOther } from './html.js';

const readFilter = (fields: URLSearchParams): Filter => ({
  search: (fields.get('q') ?? '').trim().slice(0, 200),
  state: fields.get('state') ?? '',
  firewall: fields.get('firewall') ?? '',
  sort: fields.get('sort') === 'end' ? 'end' : '',
});

function toHref(filter: Filter, more: Readonly<Record<string, string>> = {}): string {
  const { search, state, firewall, sort } = filter;
  const given = Object.entries({ q: search, state, firewall, sort, ...more }).filter(([, value]) => value !== '');
  return given.length === 0 ? '/' : `/?${new URLSearchParams(given).toString()}`;
}

export async function showBlocks({ query, app, visitor }: PageCall): Promise<Reply> {
  const filter = readFilter(query);
  const from = query.get('from') ?? undefined;
  const { blocks, next, many } = await browse(filter, from, app);
  const now = await app.ledger.now();
  const isFiltered = filter.search !== '' || filter.state !== '' || filter.firewall !== '';
  const context = {
    filter,
    here: toHref(filter, from === undefined ? {} : { from }),
    strip: toStrip(await findTotals(app), filter),
    ...toChoices(filter, Object.keys(app.config.firewalls)),
    rows: blocks.map((each) => toBlockRow(each, now)),
    many: formatNumber(many),
    total: `${formatNumber(many)} ${many === 1 ? 'block' : 'blocks'}`,
    mayAct: visitor.role !== 'viewer',
    bulk: Object.entries(actions).flatMap(([name, { isBulk, verb }]) => (isBulk ? [{ name, verb }] : [])),
    next: next === undefined ? null : toHref(filter, { from: next }),
    emptyTitle: isFiltered ? 'No block matches' : 'Nothing is blocked',
    emptyText: isFiltered ? 'Try other words, or all states.' : 'An alarm that asks for a block appears here.',
  };
  const frame = { title: 'Blocks', nav: '/', visitor, flash: findFlash(query) };
  return renderPage('blocks', { context, frame, app });
}

/** The sums over all firewalls of the configuration. */
async function findTotals({ ledger, config }: App): Promise<History['now']> {
  const { firewalls } = await ledger.findOverview(Object.keys(config.firewalls));
  const sum = (name: keyof History['now']): number => firewalls.reduce((all, { blocks }) => all + blocks[name], 0);
  const names = ['active', 'bypassed', 'underWay', 'failing', 'givenUp', 'held'] as const;
  return Object.fromEntries(names.map((name) => [name, sum(name)])) as unknown as History['now']; // all names
}

interface Tile {
  word: string;
  shape: string;
  tone: Tone;
  state: string;
  many: number;
}

/** What waits for a decision comes first; what there is none of is left out. */
function toStrip(now: History['now'], filter: Filter): object[] {
  const tiles: Tile[] = [
    { word: 'held for approval', shape: '❚❚', tone: 'wait', state: 'held', many: now.held },
    { word: 'failing', shape: '▲', tone: 'bad', state: 'failing', many: now.failing + now.givenUp },
    { word: 'bypassed', shape: '▲', tone: 'bad', state: 'bypassed', many: now.bypassed },
    { word: 'in force', shape: '●', tone: 'good', state: 'active', many: now.active },
  ];
  return tiles
    .filter(({ state, many }) => many > 0 || state === 'active')
    .map((tile) => ({
      ...tile,
      many: formatNumber(tile.many),
      href: toHref({ ...filter, state: filter.state === tile.state ? '' : tile.state }),
      isCurrent: filter.state === tile.state,
    }));
}

const option = (chosen: string) => (value: string, name: string) => ({ value, name, isChosen: value === chosen });

function toChoices({ state, firewall, sort }: Filter, firewalls: readonly string[]): object {
  const [ofState, ofFirewall, ofSort] = [option(state), option(firewall), option(sort)];
  return {
    states: [
      ofState('', 'current'),
      ...['failing', 'bypassed', ...blockStates].map((each) => ofState(each, each)),
      ofState('all', 'all, also past'),
    ],
    firewalls: [ofFirewall('', 'all firewalls'), ...firewalls.map((name) => ofFirewall(name, name))],
    sorts: [ofSort('', 'newest first'), ofSort('end', 'first to end')],
  };
}

/** How many rows a confirmation lists. */
const maxListed = 100;

/** Asks what to do with several blocks, and does it when that is confirmed. */
export async function actOnBlocks(call: PageCall, server: Server): Promise<Reply> {
  const { form, app } = call;
  const name = form.get('action') ?? '';
  const action = findAction(name);
  if (action?.isBulk !== true) throw new HttpError(400, 'usage', 'expected an action');
  const until = readUntil(form) ?? (await app.ledger.now());
  const chosen = await findChosen(form, until, app);
  const blocks = chosen.filter(action.appliesTo);
  if (form.get('confirm') !== '1') return askToConfirm({ name, action, blocks, chosen, until }, call);
  const done = await action.run(
    blocks.map(({ id }) => id),
    form,
    app,
  );
  server.applier.kick(done.flatMap(({ dueAt, firewall }) => (dueAt === null ? [] : [firewall])));
  return seeOther(toHref(readFilter(form), flashQuery(name, done.length)));
}

function readUntil(form: URLSearchParams): number | undefined {
  const text = form.get('until') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const findChosen = (form: URLSearchParams, until: number, app: App): Promise<Block[]> =>
  form.get('all') === '1'
    ? findAllMatching(readFilter(form), until, app)
    : app.ledger.findBlocks({ ids: form.getAll('id') });

interface Question {
  name: string;
  action: Action;
  /** Those of the chosen blocks that the action applies to. */
  blocks: readonly Block[];
  chosen: readonly Block[];
  until: number;
}

async function askToConfirm(question: Question, { form, app, visitor }: PageCall): Promise<Reply> {
  const { name, action, blocks, chosen, until } = question;
  const now = await app.ledger.now();
  const skipped = chosen.length - blocks.length;
  const filter = [...form].filter(([field]) => ['q', 'state', 'firewall', 'sort', 'all'].includes(field));
  const ids = form.get('all') === '1' ? [] : blocks.map(({ id }): [string, string] => ['id', id]);
  const hidden: [string, string][] = [...filter, ...ids, ['until', String(until)]];
  const context = {
    action: name,
    verb: action.verb,
    button: action.isDangerous ? 'danger' : 'main',
    total: count(blocks.length, 'block'),
    foretold: action.foretell(blocks, app),
    skipped: skipped === 0 ? '' : `${count(skipped, 'selected block')} not in such a state: skipped.`,
    takesReason: action.field === 'reason',
    hidden: hidden.map(([field, value]) => ({ name: field, value })),
    rows: blocks.slice(0, maxListed).map((block) => toBlockRow({ block, origin: null }, now)),
    rest: describeRest(blocks.length),
  };
  return renderPage('confirm', { context, frame: { title: action.verb, nav: '/', visitor }, app });
}

function describeRest(many: number): string {
  if (many <= maxListed) return '';
  const more = `${count(many - maxListed, 'more block')}.`;
  return many === maxBulk ? `${more} One decision applies to at most ${maxBulk} blocks.` : more;
}
