import type { TestEvent } from '../../core/event.js';
import { renderMail, type Mail } from './mail-template.js';
import { fitSubject } from './subject.js';

/** A mail like the others that reports no problem. */
export const renderTestMail = ({ host }: TestEvent, templatesDir?: string): Mail =>
  renderMail(
    'test',
    {
      host,
      subject: fitSubject(`[firebreak] test mail from ${host}`),
      headline: 'Test mail: nothing is wrong',
      lead: `Sent by firebreak doctor --send on ${host}. Mails about failing blocks will arrive at this address.`,
      tone: 'plain',
      actions: [{ what: 'list current blocks', command: 'firebreak list' }],
    },
    templatesDir,
  );
