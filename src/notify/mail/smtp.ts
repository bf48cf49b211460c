import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { readSecret } from '../../config/read-secret.js';
import type { MailConfig } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import type { BeforeSend, Delivery } from '../channel.js';

export interface OutgoingMail {
  /** The same at every attempt, so that a mail that arrives twice is recognised. */
  id: string;
  date: Date;
  subject: string;
  text: string;
  html?: string | undefined;
}

/** How long each step with the mail server may take. */
export interface MailLimits {
  greetingMs: number;
  stepMs: number;
}

/** An operator waits for the answer. */
export const briefLimits: MailLimits = { greetingMs: 10_000, stepMs: 10_000 };

/** RFC 5321, section 4.5.3.2: five minutes for most steps, ten for the answer to the content. A tarpit uses them. */
export const patientLimits: MailLimits = { greetingMs: 5 * 60_000, stepMs: 10 * 60_000 };

/** Sends one mail. @param options beforeSend is called when the server waits for the content */
export async function sendMail(
  config: MailConfig,
  mail: OutgoingMail,
  { beforeSend, limits }: { beforeSend: BeforeSend; limits: MailLimits },
): Promise<Delivery> {
  const progress = { hasLeft: false };
  try {
    const message = await compose(config, mail);
    const body = Readable.from(
      (async function* () {
        if (!(await beforeSend())) throw new Error('another process is sending it');
        progress.hasLeft = true;
        yield message;
      })(),
    );
    return { kind: 'sent', rejected: await deliver(config, body, limits) };
  } catch (error) {
    const isAnswer = error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number';
    const reason = describeError(error);
    return { kind: progress.hasLeft && !isAnswer ? 'unconfirmed' : 'refused', reason, isUnreachable: !isAnswer };
  }
}

function compose({ from, to }: MailConfig, mail: OutgoingMail): Promise<Buffer> {
  const { id, date, subject, text, html } = mail;
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'firebreak.invalid';
  const headers = { 'Auto-Submitted': 'auto-generated' }; // RFC 3834: suppresses out-of-office replies
  const fields = { from, to, subject, text, date, headers, messageId: `<${id.toLowerCase()}@${domain}>` };
  return new MailComposer({ ...fields, ...(html !== undefined && { html }) }).compile().build();
}

/** Connects and logs in, without sending anything. @throws nodemailer's error if the server is unreachable or refuses */
export const verifyMail = (config: MailConfig): Promise<void> =>
  converse(config, briefLimits, (_connection, done) => done());

/** Returns the recipients that the server refused. */
function deliver(config: MailConfig, body: Readable, limits: MailLimits): Promise<string[]> {
  const addresses = (text: string): string => /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text;
  const envelope = { from: addresses(config.from), to: config.to.map(addresses) };
  return converse<string[]>(config, limits, (connection, done, fail) =>
    connection.send(envelope, body, (error, info) => (error ? fail(error) : done(info.rejected))),
  );
}

/** One conversation with the server; `act` continues after the login. */
async function converse<T>(
  config: MailConfig,
  limits: MailLimits,
  act: (connection: SMTPConnection, done: (value: T) => void, fail: (error: Error) => void) => void,
): Promise<T> {
  const connection = new SMTPConnection({
    host: config.host,
    port: config.port,
    secure: config.tls === 'tls',
    // A password is sent in the clear only if configured so: a man in the middle could hide STARTTLS.
    requireTLS: config.tls === 'starttls' || (config.tls === undefined && config.user !== undefined),
    ignoreTLS: config.tls === 'none',
    ...(config.ca_file !== undefined && { tls: { ca: readFileSync(config.ca_file) } }),
    connectionTimeout: limits.greetingMs, // it covers the greeting as well
    greetingTimeout: limits.greetingMs,
    socketTimeout: limits.stepMs,
    dnsTimeout: 10_000,
  });
  const credentials = config.user === undefined ? undefined : { user: config.user, pass: readPassword(config) };
  return new Promise<T>((resolve, reject) => {
    const send = (): void => act(connection, resolve, reject);
    connection.once('error', reject);
    connection.once('end', () => reject(new Error('the mail server closed the connection')));
    connection.connect((error) => {
      if (error) return reject(error);
      if (credentials === undefined) return send();
      connection.login(credentials, (refused) => (refused ? reject(refused) : send()));
    });
  }).finally(() => connection.close());
}

const readPassword = ({ password_file }: MailConfig): string =>
  password_file === undefined ? '' : readSecret(password_file);
