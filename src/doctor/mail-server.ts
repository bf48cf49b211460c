import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { ulid } from 'ulid';
import { briefLimits, sendMail, verifyMail } from '../notify/mail/smtp.js';
import { renderTestMail } from '../notify/mail/test-mail.js';
import { fail, ok, warn, type Check } from '../core/check.js';

/** Checks the connection to the mail server and the login. @param send whether to send a test mail as well */
export async function checkMail({ mail, templates_dir }: Config, send: boolean, host: string): Promise<Check> {
  const name = 'SMTP';
  if (mail === undefined)
    return warn(name, 'mail is not configured: no one is notified when a block fails', 'set mail in firebreak.yml');
  const server = `${mail.host}:${mail.port}`;
  try {
    await verifyMail(mail);
    if (!send)
      return ok(name, `${server} answers${mail.user === undefined ? '' : ` and accepts the login of ${mail.user}`}`);
    const { problem, ...test } = renderTestMail({ kind: 'test', at: Date.now(), host }, templates_dir);
    const options = { beforeSend: () => Promise.resolve(true), limits: briefLimits };
    const sending = await sendMail(mail, { id: ulid(), date: new Date(), ...test }, options);
    if (sending.kind !== 'sent') return fail(name, `${server}: ${sending.reason}`, howToFix);
    if (sending.rejected.length > 0)
      return fail(name, `${server} does not accept mail to ${sending.rejected.join(', ')}`, howToFix);
    if (problem !== undefined) return warn(name, `a test mail was sent, but ${problem}`, 'fix that template');
    return ok(name, `${server} accepted a test mail to ${mail.to.join(', ')}`);
  } catch (error) {
    return fail(name, `${server}: ${describeError(error)}`, howToFix);
  }
}

const howToFix = 'check mail.host, port, tls, ca_file, user, password_file and to';
