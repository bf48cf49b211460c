import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { createTransport } from 'nodemailer';
import { findPackageRoot } from '../config/package-root.js';
import type { MailConfig } from '../config/schema.js';
import { describeFlow } from '../core/describe-flow.js';
import type { Answer, Block } from '../core/outcome.js';

export interface FailureMail {
  subject: string;
  text: string;
}

/** How long one step with the mail server may take: a block's answer must not wait for a dead one. */
const stepMs = 3000;

/** Says who is not blocked, why, and what to type. Nothing in it is secret. */
export function renderFailureMail(
  answer: Answer,
  failed: readonly Block[],
  facts: { record: string; event: string | undefined; host?: string },
): FailureMail {
  const [first] = failed;
  if (first === undefined) throw new Error('no failed block: no mail');
  const count = failed.length === 1 ? '1 block' : `${failed.length} blocks`;
  const template = readFileSync(join(findPackageRoot(), 'templates', 'mail', 'failure.txt.hbs'), 'utf8');
  const text = Handlebars.create().compile(template, { noEscape: true, strict: true })({
    count,
    alarm: answer.alarm,
    event: facts.event ?? '',
    host: facts.host ?? hostname(),
    record: facts.record,
    blocks: failed.map((block) => ({
      what: describeFlow(block.flow),
      firewall: block.firewall,
      reason: 'reason' in block.outcome ? block.outcome.reason : '',
      tracker: block.tracker,
      command: commandOf(block),
    })),
  });
  const names = [...new Set(failed.map(({ firewall }) => firewall))].join(', ');
  return { subject: cut(`[firebreak] ${names}: ${count} NOT in force: ${first.flow.source}`, 78), text };
}

function commandOf({ flow, firewall, description }: Block): string {
  const { source, destination, port, interface: name, type, ipprotocol, protocol } = flow;
  return `firebreak block ${source} ${destination} ${port || '0'} ${name} ${type} ${ipprotocol} ${description} --protocol ${protocol} --firewall ${firewall}`;
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}~` : text);

/**
 * Sends one mail; resolves when the server has taken it.
 * @throws nodemailer's error: the server is away, refuses, or asks for a login that fails
 */
export async function sendMail(config: MailConfig, mail: FailureMail): Promise<void> {
  const transport = createTransport({
    host: config.host,
    port: config.port,
    secure: config.tls === 'tls',
    requireTLS: config.tls === 'starttls',
    ignoreTLS: config.tls === 'none',
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    dnsTimeout: stepMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(config.user !== undefined && { auth: { user: config.user, pass: readPassword(config) } }),
  });
  try {
    await transport.sendMail({ from: config.from, to: config.to, subject: mail.subject, text: mail.text });
  } finally {
    transport.close();
  }
}

const readPassword = ({ password_file }: MailConfig): string =>
  password_file === undefined ? '' : readFileSync(password_file, 'utf8').replace(/\r?\n$/, '');
