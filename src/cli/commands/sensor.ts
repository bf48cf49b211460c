import { renderSensor } from '../../intake/sensor.js';
import { defineCommand } from '../command.js';

const text = (describe: string, value: string) =>
  ({ type: 'string', requiresArg: true, default: value, describe }) as const;

const options = {
  host: { type: 'string', requiresArg: true, describe: 'host that runs Firebreak, as the SIEM reaches it' },
  user: { type: 'string', requiresArg: true, describe: 'account on that host' },
  port: text('SSH port on that host', '22'),
  'key-file': text("private key, on the SIEM's host", '/opt/firebreak/key'),
  'password-file': { type: 'string', requiresArg: true, describe: 'file with the password instead (sshpass)' },
  'known-hosts-file': text('file with the host key', '/opt/firebreak/known_hosts'),
  command: text('command to run there, unless a gateway is forced', 'firebreak block'),
  script: text('where the script will be installed', '/opt/firebreak/alarm'),
  spool: text('folder for alarms that could not be delivered', '/var/spool/firebreak'),
  'spool-most': text('maximum number of alarms in the spool', '1000'),
  'spool-days': text('maximum age of an alarm in the spool, in days', '7'),
  'connect-timeout': text('seconds to reach the host', '10'),
  timeout: text('total seconds for one alarm', '150'),
  check: { type: 'boolean', default: false, describe: 'print a script that only requests dry runs' },
} as const;

/** Needs no configuration: the script can be generated on any host. */
export const sensor = defineCommand({
  usage: 'sensor',
  summary: "print the script for the SIEM's host",
  options: (argv) => argv.options(options),
  run: (args) => {
    const script = renderSensor({
      host: args.host,
      user: args.user,
      port: args.port,
      keyFile: args['key-file'],
      passwordFile: args['password-file'],
      knownHostsFile: args['known-hosts-file'],
      command: args.command,
      script: args.script,
      spool: args.spool,
      most: args['spool-most'],
      days: args['spool-days'],
      connectSeconds: args['connect-timeout'],
      totalSeconds: args.timeout,
      check: args.check,
    }).trimEnd();
    return Promise.resolve({ exit: 0, text: script, json: { script } });
  },
});
