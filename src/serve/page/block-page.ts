import { readDetails, type BlockDetails } from '../../app/list.js';
import { readLastEntries } from '../../app/verify-audit.js';
import { parseAddress } from '../../core/address.js';
import { FirebreakError } from '../../core/errors.js';
import { toPrintable } from '../../core/printable.js';
import { includesRole } from '../../core/role.js';
import type { App } from '../../runtime/app.js';
import { momentOf, sentenceOfProof, toBlockRow } from '../../views/block-row.js';
import { describePackets } from '../../views/packets.js';
import { HttpError } from '../http-error.js';
import type { PageCall } from '../people/page-route.js';
import type { Reply, Server } from '../route.js';
import { actions, type Action } from './block-actions.js';
import { findFlash, flashQuery } from './flash.js';
import { renderPage, seeOther, type Flash } from './html.js';

export const showBlock = (call: PageCall): Promise<Reply> => renderBlock(call, findFlash(call.query));

async function renderBlock(call: PageCall, flash: Flash | undefined, status = 200): Promise<Reply> {
  const { app, visitor } = call;
  const details = await findDetails(call);
  const { block, alarms, now } = details;
  const [first] = alarms;
  const row = toBlockRow({ block, origin: first?.origin ?? null }, now);
  const context = {
    row,
    facts: toFacts(details),
    history: await readHistory(details, app),
    alarms: alarms
      .slice(-maxAlarms)
      .reverse()
      .map(({ receivedAt, origin, context: facts }) => ({
        at: momentOf(receivedAt, now),
        origin: toPrintable(origin),
        context: toPrintable(
          Object.entries(facts)
            .map(([name, value]) => `${name}=${value}`)
            .join('  '),
        ),
      })),
    actions: Object.entries(actions)
      .filter(([, { role, appliesTo }]) => includesRole(visitor.role, role) && appliesTo(block))
      .map(([name, action]) => ({ name, ...toForm(action), foretold: action.foretell([block], app) })),
  };
  const frame = { title: row.source, nav: '/', visitor, flash, status };
  return renderPage('block', { context, frame, app });
}

const maxAlarms = 100;

async function findDetails({ params, app }: PageCall): Promise<BlockDetails> {
  const id = params['id'] ?? '';
  const [details] = parseAddress(id).ok ? [] : await readDetails(id, app);
  if (details === undefined) throw new HttpError(404, 'not_found', 'no such block');
  return details;
}

const toForm = ({ verb, field, isDangerous }: Action): object => ({
  verb,
  takesReason: field.startsWith('reason'),
  needsReason: field === 'reason required',
  takesDuration: field === 'duration',
  takesComment: field === 'comment',
  button: isDangerous ? 'danger' : 'main',
});

function toFacts({ block, record, now }: BlockDetails): object[] {
  const { flow } = block;
  const facts: [string, string | null][] = [
    ['Signature', block.description],
    ['Reason', block.reason],
    ['Note', block.comment],
    ['Policy', block.override === null ? null : `overridden by an operator: ${block.override}`],
    ['Proof', sentenceOfProof(block)],
    ['Proven', block.provenAt === null ? 'never' : momentOf(block.provenAt, now).title],
    ['Packets', describePackets(block, now) ?? null],
    ['Next try', block.dueAt === null ? null : momentOf(block.dueAt, now).title],
    ['Failed attempts', block.failures === 0 ? null : String(block.failures)],
    ['Rule', `${flow.type} on ${flow.interface}, ${flow.ipprotocol}, tracker ${block.tracker}`],
    ['Alarms', String(block.alarms)],
    ['Last run', record === undefined ? null : block.run],
    ['Id', block.id],
  ];
  return facts.flatMap(([name, text]) => (text === null || text === '' ? [] : [{ name, text: toPrintable(text) }]));
}

/** How many of the latest audit entries are searched, and how many results of runs. */
const maxEntries = 20_000;
const maxOutcomes = 200;

/** Decisions and results of runs, the latest first. */
async function readHistory({ block, now }: BlockDetails, app: App): Promise<object[]> {
  const text = (value: unknown): string => (typeof value === 'string' ? toPrintable(value) : '');
  const entries = await readLastEntries(maxEntries, [], app);
  const decided = entries
    .filter((entry) => entry['block'] === block.id)
    .map(({ at, event, by, reason }) => ({
      ms: Date.parse(text(at)),
      what: text(event),
      by: text(by),
      why: text(reason),
    }));
  const outcomes = await app.ledger.findOutcomes({ since: 0, block: block.id, limit: maxOutcomes });
  const ran = outcomes.map(({ at, kind, reason }) => ({ ms: at, what: kind, by: '', why: text(reason) }));
  return [...decided, ...ran]
    .sort((one, other) => other.ms - one.ms)
    .map(({ ms, ...rest }) => ({ ...rest, at: momentOf(ms, now) }));
}

/** Does one thing with one block, and shows the block again. */
export async function actOnBlock(name: keyof typeof actions, call: PageCall, server: Server): Promise<Reply> {
  const { block } = await findDetails(call);
  const action: Action = actions[name];
  try {
    const done = action.appliesTo(block) ? await action.run([block.id], call.form, call.app) : [];
    server.applier.kick(done.flatMap(({ dueAt, firewall }) => (dueAt === null ? [] : [firewall])));
    return seeOther(`/blocks/${block.id}?${new URLSearchParams(flashQuery(name, done.length)).toString()}`);
  } catch (error) {
    if (!(error instanceof FirebreakError) || !['usage', 'block_unknown'].includes(error.code)) throw error;
    return renderBlock(call, { tone: 'bad', text: error.message }, 400);
  }
}
