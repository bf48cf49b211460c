import type { Page } from '../people/page-route.js';
import { showAudit } from './audit-page.js';
import { events } from './event-stream.js';
import { showFirewalls } from './firewalls-page.js';
import { showObserved } from './observed-page.js';
import { showTimeline } from './timeline-page.js';

/** What surrounds the blocks: the firewalls, what happened, who decided, and the stream that keeps pages up to date. */
export const aroundPages: readonly Page[] = [
  { method: 'GET', path: '/firewalls', role: 'viewer', handle: showFirewalls },
  { method: 'GET', path: '/timeline', role: 'viewer', handle: showTimeline },
  { method: 'GET', path: '/audit', role: 'viewer', handle: showAudit },
  { method: 'GET', path: '/observed', role: 'viewer', handle: showObserved },
  events,
];
