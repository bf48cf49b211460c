import type { TestEvent } from '../../core/event.js';
import { renderMail, type Mail } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Looks like the others, and says that nothing is wrong. */
export const renderTestMail = ({ host }: TestEvent, templatesDir?: string): Mail =>
  renderMail(
    'test',
    {
      host,
      subject: fitSubject(`[firebreak] a test from ${host}`),
      headline: 'A test: nothing is wrong',
      lead: `firebreak doctor --send was called on ${host}. Mails about blocks that fail will come to this address.`,
      tone: 'plain',
      actions: [{ what: 'see what stands', command: 'firebreak list' }],
    },
    templatesDir,
  );
