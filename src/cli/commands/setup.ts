import type { Argv } from 'yargs';
import { wantsColour } from '../../runtime/terminal.js';
import { firewall, type Commands } from '../options.js';

/** Commands that set Firebreak up and wire the SIEM to it. */
export const setup: Commands = {
  init: (argv, run) =>
    argv.command(
      'init',
      'write a first configuration and what it names; asks on a terminal',
      (args) =>
        args.options({
          host: { type: 'string', requiresArg: true, describe: 'address or name of the firewall' },
          name: { type: 'string', requiresArg: true, describe: 'what to call it (edge)' },
          user: { type: 'string', requiresArg: true, describe: 'who logs in there (root)' },
          port: { type: 'string', requiresArg: true, describe: 'its SSH port (22)' },
          'state-dir': { type: 'string', requiresArg: true, describe: 'folder for the ledger (/var/lib/firebreak)' },
          'mail-to': { type: 'string', requiresArg: true, describe: 'who is told when a block is not in force' },
          key: { type: 'boolean', describe: 'make a key pair for it' },
        }),
      (args) =>
        run(args, async (context) => {
          const { init } = await import('../../app/init.js');
          const { host, name, user, port, key } = args;
          return init({ host, name, user, port, key, stateDir: args['state-dir'], mailTo: args['mail-to'] }, context);
        }),
    ),
  doctor: (argv, run) =>
    argv.command(
      'doctor',
      'look at all that a block needs, and say how to mend what is wrong',
      (args) =>
        args.options({
          send: { type: 'boolean', default: false, describe: 'send a test mail as well' },
          firewall,
        }),
      (args) =>
        run(args, async (context) => {
          const { doctor } = await import('../../app/doctor.js');
          return doctor({ send: args.send, firewalls: args.firewall, isColoured: wantsColour() }, context);
        }),
    ),
  config: (argv, run) =>
    argv.command(
      'config',
      'print the configuration in force',
      (args) =>
        args.option('explain', { type: 'string', requiresArg: true, describe: 'say what this key means instead' }),
      (args) =>
        run(args, async (context) => {
          const { showConfig, explainConfig } = await import('../../app/config.js');
          return args.explain === undefined ? showConfig(context) : explainConfig(args.explain);
        }),
    ),
  gateway: (argv, run) =>
    argv.command(
      'gateway',
      'take one alarm over SSH, as the command that sshd runs for a login',
      (args) =>
        args.options({
          'authorized-key': {
            type: 'string',
            requiresArg: true,
            describe: "print a public key's line for authorized_keys",
          },
          c: { type: 'string', requiresArg: true, describe: 'the command, as sshd hands it to a login shell' },
        }),
      (args) =>
        run(args, async (context) => {
          const { gateway } = await import('../../app/answer-gateway.js');
          return gateway({ command: args.c, authorizedKey: args['authorized-key'] }, context);
        }),
    ),
  sensor: (argv, run) =>
    argv.command('sensor', "print the script for the SIEM's host", defineSensor, (args) =>
      run(args, async () => {
        const { sensor } = await import('../../app/sensor.js');
        return sensor({
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
        });
      }),
    ),
};

const word = (describe: string, value: string) =>
  ({ type: 'string', requiresArg: true, default: value, describe }) as const;

const defineSensor = (args: Argv) =>
  args.options({
    host: { type: 'string', requiresArg: true, describe: 'where Firebreak is, as the SIEM reaches it' },
    user: { type: 'string', requiresArg: true, describe: 'its account there' },
    port: word('its SSH port there', '22'),
    'key-file': word("the key, on the SIEM's host", '/opt/firebreak/key'),
    'password-file': { type: 'string', requiresArg: true, describe: 'a file with the password instead (sshpass)' },
    'known-hosts-file': word('where the host key is recorded', '/opt/firebreak/known_hosts'),
    command: word('what is called there, where no gateway is forced', 'firebreak block'),
    script: word('where the script will lie', '/opt/firebreak/alarm'),
    spool: word('folder for alarms that could not be delivered', '/var/spool/firebreak'),
    'spool-most': word('how many it holds', '1000'),
    'spool-days': word('for how many days', '7'),
    'connect-timeout': word('seconds to reach the host', '10'),
    timeout: word('seconds for one alarm in all', '150'),
    check: { type: 'boolean', default: false, describe: 'a script that only asks for dry runs' },
  });
