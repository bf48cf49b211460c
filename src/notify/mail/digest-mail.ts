import type { Block } from '../../core/block.js';
import type { DigestEvent, FirewallDigest } from '../../core/event.js';
import { isBypassed } from '../../core/proof.js';
import { formatWithUtc } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { countTop, describeFailing } from '../wording.js';
import { nextStep } from './failure-mail.js';
import { toMailBlock, type Figure } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Further open blocks are counted, not listed. */
const maxOpen = 10;

/** Further addresses are left out. */
const maxTop = 10;

/** Summarises a day, the current state, and what needs attention. */
export function renderDigestMail(event: DigestEvent, templatesDir?: string): Mail {
  const { host, day, open, audit } = event;
  const created = findCreated(event);
  const waiting = findWaiting(event);
  const active = event.firewalls.reduce((sum, each) => sum + each.active, 0);
  const state = describeWaiting(waiting);
  const facts = {
    host,
    subject: fitSubject(
      `[firebreak] ${day.name}: ${count(created.length, 'new block')}, ${active} in force, ${state}`,
      `[firebreak] ${day.name}: ${active} in force, ${state}`,
      `[firebreak] ${day.name}: ${state}`,
    ),
    headline: `Daily digest, ${day.name}: ${state}`,
    lead: `${count(created.length, 'new block')} from ${formatWithUtc(day.from)} to ${formatWithUtc(day.to)}; ${active} in force now.${failingSentence(event)}`,
    tone: waiting.failing + waiting.bypassed > 0 ? 'bad' : state === allWell ? 'plain' : 'warn',
    actions: findActions(waiting),
    figures: toFigures(event, created, waiting),
    firewalls: event.firewalls.map((firewall) => toFirewall(firewall, open)),
    blocks: open.slice(0, maxOpen).map((block) => toOpenBlock(block, event)),
    more: Math.max(0, open.length - maxOpen),
    audit: audit === null ? '' : `${audit.seq}:${audit.hash.slice(0, 32)}`,
    sources: countTop(created, 'source', maxTop),
    destinations: countTop(created, 'destination', maxTop),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('digest', facts, templatesDir);
}

const isIn = ({ day }: DigestEvent, ms: number): boolean => ms >= day.from && ms < day.to;

const findCreated = (event: DigestEvent): Block[] =>
  event.recent.filter(({ createdAt, state }) => isIn(event, createdAt) && state !== 'refused' && state !== 'observed');

const countEnded = (event: DigestEvent, how: Block['state']): number =>
  event.recent.filter(({ state, updatedAt }) => state === how && isIn(event, updatedAt)).length;

const isFailing = (block: Block): boolean => block.state !== 'held' && !isBypassed(block);

function failingSentence({ open, at }: DigestEvent): string {
  const failing = open.filter(isFailing);
  return failing.length === 0 ? '' : ` ${describeFailing(failing, at)}.`;
}

interface Waiting {
  failing: number;
  bypassed: number;
  held: number;
  drifted: readonly FirewallDigest[];
}

function findWaiting({ open, firewalls }: DigestEvent): Waiting {
  const failing = open.filter(isFailing).length;
  const bypassed = open.filter(isBypassed).length;
  const drifted = firewalls.filter(({ driftSince }) => driftSince !== null);
  return { failing, bypassed, held: open.length - failing - bypassed, drifted };
}

const allWell = 'all well';

function describeWaiting({ failing, bypassed, held, drifted }: Waiting): string {
  const parts = [
    ...(failing > 0 ? [`${failing} FAILING`] : []),
    ...(bypassed > 0 ? [`${bypassed} BYPASSED`] : []),
    ...(held > 0 ? [`${held} HELD`] : []),
    ...(drifted.length > 0 ? [`${drifted.length} with DRIFT`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : allWell;
}

const findActions = ({ failing, bypassed, held, drifted }: Waiting): MailFacts['actions'] => [
  ...(failing > 0
    ? [
        { what: 'find the cause, step by step', command: 'firebreak doctor' },
        { what: 'retry all failing blocks now', command: 'firebreak retry --all' },
      ]
    : []),
  ...(bypassed > 0
    ? [{ what: 'show what passes the packets of bypassed blocks', command: 'firebreak reconcile' }]
    : []),
  ...(held > 0 ? [{ what: 'list held blocks', command: 'firebreak list --state held' }] : []),
  ...drifted.map(({ name }) => ({
    what: `show how ${name} differs from the ledger`,
    command: `firebreak reconcile --firewall ${name}`,
  })),
  { what: 'list current blocks', command: 'firebreak list' },
];

const toFigures = (event: DigestEvent, created: readonly Block[], { failing, bypassed, held }: Waiting): Figure[] => [
  { name: 'new blocks', value: created.length, remark: '' },
  { name: 'alarms for new blocks', value: created.reduce((sum, each) => sum + each.alarms, 0), remark: '' },
  { name: 'released', value: countEnded(event, 'released'), remark: '' },
  { name: 'refused', value: countEnded(event, 'refused'), remark: 'by policy or by an operator' },
  ...findObserved(event),
  { name: 'failing now', value: failing, remark: '' },
  { name: 'held now', value: held, remark: '' },
  { name: 'bypassed now', value: bypassed, remark: 'in place, but packets are not stopped' },
];

/** Only of those that observe. */
function findObserved(event: DigestEvent): Figure[] {
  const value = event.recent.filter(({ createdAt, state }) => isIn(event, createdAt) && state === 'observed').length;
  return value === 0 ? [] : [{ name: 'would have been blocked', value, remark: 'observe mode' }];
}

const toFirewall = ({ name, active, driftSince }: FirewallDigest, open: readonly Block[]) => ({
  name,
  active,
  failing: open.filter((block) => block.firewall === name && isFailing(block)).length,
  drift: driftSince === null ? '' : `has differed from the ledger since ${formatWithUtc(driftSince)}`,
});

const toOpenBlock = (block: Block, { alarms, at }: DigestEvent) => ({
  ...toMailBlock(block, alarms),
  next: findNext(block, at),
});

function findNext(block: Block, at: number): string {
  if (block.state === 'held') return 'held until approved';
  return isBypassed(block) ? 'change the firewall, then run firebreak reconcile' : nextStep(block, at);
}
