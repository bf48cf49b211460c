// Puts the article's files where its author would, and calls them as OSSIM would.
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { closeConnections, time } from '../programs.mjs';

const files = import.meta.dirname;
const tools = path.resolve(files, '../../.tools/ansible-latest/bin');

/** The author's files lie in the home of the account that the SIEM logs in to. */
export function installArticle({ folder, firewall }) {
  const home = path.join(folder, 'ansible/article');
  cpSync(files, home, { recursive: true });
  const { vars } = firewall;
  const words = {
    ansible_host: firewall.host,
    ansible_port: firewall.port,
    ansible_user: firewall.user,
    ansible_ssh_private_key_file: firewall.privateKeyFile,
    ansible_ssh_common_args: `"-o UserKnownHostsFile=${firewall.knownHostsFile}"`,
    ansible_python_interpreter: vars.ansible_python_interpreter, // else he would pay for looking for it as well
    config: vars.pfsense_config,
    cache: vars.pfsense_config_cache,
    reload: vars.pfsense_reload_sync_command,
  };
  const line = Object.entries(words).map(([name, value]) => `${name}=${value}`);
  writeFileSync(path.join(home, 'hosts'), `firewall ${line.join(' ')}\n`);
}

/** One alarm, from the script on the SIEM to the reload on the firewall; gives its seconds. */
export async function callArticle(stage, source, destination, port = '22') {
  const home = path.join(stage.folder, 'ansible');
  const login = stage.login === 'password' ? 'sshpass -f password ' : '';
  const seconds = await time('/bin/sh', [path.join(home, 'article/alarm.sh'), source, destination, port], {
    cwd: path.join(stage.folder, 'siem'),
    env: { PATH: `${process.env.PATH}:${tools}`, HOME: home, ARTICLE_SSH: `${login}ssh -F ssh_config ansible-host` },
  });
  await closeConnections(path.join(home, '.ansible/cp'));
  return seconds;
}
