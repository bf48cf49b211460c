import type { Event } from '../../core/event.js';
import { renderAddressesMail } from './addresses-mail.js';
import { renderBypassedMail } from './bypassed-mail.js';
import { renderDigestMail } from './digest-mail.js';
import { renderDriftMail } from './drift-mail.js';
import { renderExpiryMail } from './expiry-mail.js';
import { renderFailureMail } from './failure-mail.js';
import { renderHeldMail } from './held-mail.js';
import type { Mail } from './mail-template.js';
import { renderRecoveryMail } from './recovery-mail.js';
import { renderSuccessMail } from './success-mail.js';
import { renderTestMail } from './test-mail.js';

/** @param templatesDir the operator's templates: one in its folder `mail` replaces the built-in one of the same name */
export function composeMail(event: Event, templatesDir?: string): Mail {
  switch (event.kind) {
    case 'failure':
      return renderFailureMail(event, templatesDir);
    case 'bypassed':
      return renderBypassedMail(event, templatesDir);
    case 'recovery':
      return renderRecoveryMail(event, templatesDir);
    case 'success':
      return renderSuccessMail(event, templatesDir);
    case 'drift':
      return renderDriftMail(event, templatesDir);
    case 'addresses':
      return renderAddressesMail(event, templatesDir);
    case 'held':
      return renderHeldMail(event, templatesDir);
    case 'expiry':
      return renderExpiryMail(event, templatesDir);
    case 'digest':
      return renderDigestMail(event, templatesDir);
    case 'test':
      return renderTestMail(event, templatesDir);
  }
}
