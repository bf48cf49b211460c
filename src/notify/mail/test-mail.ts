import { renderMail, type Mail, type MailSetting } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Looks as the others do, and says that nothing is wrong. */
export const renderTestMail = (setting: MailSetting): Mail =>
  renderMail(
    'test',
    {
      subject: fitSubject(`[firebreak] a test from ${setting.host}`),
      headline: 'A test: nothing is wrong',
      lead: `firebreak doctor --send was called on ${setting.host}. Mails about blocks that fail will come to this address.`,
      tone: 'plain',
      actions: [{ what: 'see what stands', command: 'firebreak list' }],
    },
    setting,
  );
