import { topicOf, type Event } from '../../core/event.js';
import type { Content, NotifyContext, OpenChannel } from '../channel.js';

/** Sends mails with a text and an HTML part, as the configuration's `mail` says. */
export const openMail: OpenChannel = (context) => {
  const { config, isAwaited = false } = context;
  const { mail } = config;
  if (mail === undefined) return undefined;
  const topics: readonly string[] = mail.on;
  return {
    name: 'mail',
    accepts: (kind) => topics.includes(topicOf(kind)),
    compose: (event) => compose(event, context),
    send: async ({ id, createdAt, content }, beforeSend) => {
      const { briefLimits, patientLimits, sendMail } = await import('./smtp.js');
      const { subject = '', text = '', html } = content;
      const limits = isAwaited ? briefLimits : patientLimits;
      return sendMail(mail, { id, date: new Date(createdAt), subject, text, html }, { beforeSend, limits });
    },
    describeTarget: () => Promise.resolve(mail.to.join(', ')),
    digest: { at: mail.digest_at, idPrefix: 'digest' },
  };
};

/** Logs a warning if one of the operator's templates could not be used. */
async function compose(
  event: Event,
  { config, warn, openLog }: Pick<NotifyContext, 'config' | 'warn' | 'openLog'>,
): Promise<Content> {
  const { composeMail } = await import('./compose.js');
  const { problem, ...content } = composeMail(event, config.templates_dir);
  if (problem !== undefined) {
    (await openLog()).error(problem, { event: event.kind });
    warn(problem);
  }
  return content;
}
