import { toRoute, type Page } from '../people/page-route.js';
import type { Route } from '../route.js';
import { accountPages } from '../people/account-page.js';
import { decideRoutes } from '../people/decide-pages.js';
import { makeLoginRoutes } from '../people/login-pages.js';
import { oidcRoutes } from '../people/oidc-pages.js';
import { aroundPages } from './around-pages.js';
import { assets } from './assets.js';
import { blockPages } from './block-pages.js';

/** What people see in a browser, each page for those who have its role. */
export const pages: readonly Page[] = [...blockPages, ...aroundPages, ...accountPages];

/** What browsers are served besides the API, where `serve.page.enabled` is true. */
export const pageRoutes: readonly Route[] = [
  assets,
  ...makeLoginRoutes(),
  ...oidcRoutes,
  ...decideRoutes,
  ...pages.map(toRoute),
];
