import { hostname } from 'node:os';
import { ulid } from 'ulid';
import type { Config } from '../../config/schema.js';
import type { Block } from '../../core/block.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { NewMessage } from '../../ledger/messages.js';
import { mostListed, type AlarmsOf } from './mail-block.js';
import type { Mail, MailSetting } from './mail-template.js';

/** A mail as the outbox keeps it. Where an operator's template could not be used, the log and `tell` are told. */
export async function toMessage(
  kind: string,
  { config, tell }: { config: Config; tell: (message: string) => void },
  render: (setting: MailSetting) => Mail,
): Promise<NewMessage> {
  const { problem, ...content } = render({ host: hostname(), templatesDir: config.templates_dir });
  const id = ulid();
  if (problem !== undefined) {
    const { openLog } = await import('../../runtime/logger.js');
    const log = openLog(config.log, tell);
    log.error(problem, { message: id });
    tell(problem);
    await log.close();
  }
  return { id, kind, content };
}

/** The alarms of the blocks that a mail lists. */
export async function findAlarmsOf(blocks: readonly Block[], ledger: Ledger): Promise<AlarmsOf> {
  const listed = blocks.slice(0, mostListed);
  return new Map(await Promise.all(listed.map(async ({ id }) => [id, await ledger.findAlarms(id)] as const)));
}
