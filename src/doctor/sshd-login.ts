import { gatewayComment, readAccounts } from '../runtime/account.js';
import { findSshdFaults } from '../runtime/sshd.js';
import { fail, ok, skipped, type Check } from '../core/check.js';

/** Checks that sshd limits the SIEM's account to the gateway; empty if there is no such account. */
export async function checkSshd(root = '/'): Promise<Check[]> {
  const name = 'sshd';
  const account = readAccounts(root).find(({ comment }) => comment === gatewayComment);
  if (account === undefined) return [];
  if (process.geteuid?.() !== 0) return [skipped(name, 'only root can check it; run sudo firebreak doctor')];
  const faults = await findSshdFaults(account.name, account.shell);
  if (faults === undefined) return [skipped(name, 'sshd -T does not print its settings')];
  if (faults.length === 0) return [ok(name, `limits ${account.name} to the gateway`)];
  return [
    fail(
      name,
      `account ${account.name}: ${faults.join('; ')}`,
      'sshd uses the first of two values; make sure that it reads /etc/ssh/sshd_config.d/00-firebreak.conf first',
    ),
  ];
}
