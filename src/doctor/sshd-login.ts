import { gatewayComment, readAccounts } from '../runtime/account.js';
import { findSshdFaults } from '../runtime/sshd.js';
import { fail, ok, skipped, type Check } from '../core/check.js';

/** Whether sshd forces the gateway on the account that the SIEM logs in to; nothing where there is no such account. */
export async function checkSshd(root = '/'): Promise<Check[]> {
  const name = 'sshd';
  const account = readAccounts(root).find(({ comment }) => comment === gatewayComment);
  if (account === undefined) return [];
  if (process.geteuid?.() !== 0) return [skipped(name, 'only root can ask it: sudo firebreak doctor')];
  const faults = await findSshdFaults(account.name, account.shell);
  if (faults === undefined) return [skipped(name, 'it does not tell its settings (sshd -T)')];
  if (faults.length === 0) return [ok(name, `forces the gateway on ${account.name}, and gives it nothing else`)];
  return [
    fail(
      name,
      `of ${account.name}: ${faults.join('; ')}`,
      'of two values sshd takes the first: let /etc/ssh/sshd_config.d/00-firebreak.conf be read before what else sets it',
    ),
  ];
}
