import { findCauseText } from './index.js';

/** Texts for the launcher's own codes that do not read well with spaces in place of underscores. */
const own: Readonly<Record<string, string>> = {
  timeout: 'took too long',
  not_started: 'Ansible did not start',
  shadowed: 'another rule passes the packets first',
  unreachable_path: 'the packets never come to the rule',
};

/** A cause in a few words, the same in a mail, a webhook and the statistics. */
export const describeCause = (code: string): string => own[code] ?? findCauseText(code) ?? code.replaceAll('_', ' ');
