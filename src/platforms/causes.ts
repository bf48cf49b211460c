import { findCauseWords } from './index.js';

/** Words for the launcher's own causes that are not plain English with spaces in place of the underscores. */
const own: Readonly<Record<string, string>> = {
  timeout: 'took too long',
  not_started: 'Ansible did not start',
};

/** A cause in a few words, the same in a mail, a webhook and the statistics. */
export const describeCause = (code: string): string => own[code] ?? findCauseWords(code) ?? code.replaceAll('_', ' ');
