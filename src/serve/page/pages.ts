import type { Route } from '../route.js';
import { account } from '../people/account-page.js';
import { makeLoginRoutes } from '../people/login-pages.js';
import { assets } from './assets.js';

/** What browsers are served besides the API, where `serve.page.enabled` is true. */
export const pageRoutes: readonly Route[] = [assets, ...makeLoginRoutes(), account];
