/** Words for the causes that are not plain English with spaces in place of the underscores. */
const texts: Readonly<Record<string, string>> = {
  timeout: 'took too long',
  not_started: 'Ansible did not start',
  load_refused: 'pf refused',
  load_unproven: 'not proven in pf',
};

/** A cause in a few words, the same in a mail, a webhook and the statistics. */
export const describeCause = (code: string): string => texts[code] ?? code.replaceAll('_', ' ');
