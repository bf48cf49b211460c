import { withApp } from '../../app/context.js';
import { addToken, revokeToken } from '../../app/tokens.js';
import { FirebreakError } from '../../core/errors.js';
import { tokenScopes } from '../../core/token.js';
import type { App } from '../../runtime/app.js';
import { widthOf } from '../../runtime/terminal.js';
import { tokenToJson, toTokenTable } from '../../views/token-table.js';
import { defineCommand, type Output } from '../command.js';

export const token = defineCommand({
  usage: 'token <action> [name]',
  summary: 'add, list and revoke the tokens of firebreak serve',
  options: (argv) =>
    argv
      .positional('action', { type: 'string', demandOption: true, describe: 'add, list or revoke' })
      .positional('name', { type: 'string', describe: 'name of the token, for add and revoke' })
      .options({
        scope: {
          type: 'string',
          requiresArg: true,
          default: 'alarm',
          describe: `what it permits: ${tokenScopes.join(', ')}`,
        },
        source: { type: 'string', requiresArg: true, describe: 'only alarms of this source, such as wazuh' },
        network: {
          type: 'string',
          array: true,
          default: [] as string[],
          requiresArg: true,
          describe: 'only from this address or network; repeatable',
        },
        expires: { type: 'string', requiresArg: true, describe: 'for how long: 24h, 90d; default: forever' },
      }),
  run: ({ action, name, scope, source, network, expires }, caller) => {
    const request = { scope, source, networks: network, expires };
    return withApp(caller, (app) => {
      if (action === 'list' && name === undefined) return list(app);
      if (action === 'add' && name !== undefined) return add({ name, ...request }, app);
      if (action === 'revoke' && name !== undefined) return revoke(name, app);
      throw new FirebreakError('usage', 'expected firebreak token add NAME, token list or token revoke NAME');
    });
  },
});

/** The secret alone on stdout, for a file or a variable. */
async function add(request: Parameters<typeof addToken>[0], app: App): Promise<Output> {
  const secret = await addToken(request, app);
  return { exit: 0, text: secret, json: { name: request.name, scope: request.scope, token: secret } };
}

async function list({ ledger }: App): Promise<Output> {
  const tokens = await ledger.findTokens();
  const text = toTokenTable(tokens, await ledger.now(), widthOf());
  return { exit: 0, text, json: { tokens: tokens.map(tokenToJson) } };
}

async function revoke(name: string, app: App): Promise<Output> {
  await revokeToken(name, app);
  return { exit: 0, text: `${name} is revoked`, json: { name } };
}
