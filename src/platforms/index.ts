import type { FirewallConfig } from '../config/schema.js';
import { pfsense } from './pfsense/pfsense.js';
import type { Platform } from './platform.js';

/** Every platform that a configuration may name. */
const platforms: Readonly<Record<FirewallConfig['platform'], Platform>> = { pfsense };

export const platformOf = ({ platform }: Pick<FirewallConfig, 'platform'>): Platform => platforms[platform];

/** An error code of a role in words, whichever platform it comes from; undefined where the code reads well itself. */
export const findCauseWords = (
  code: string,
  all: readonly Pick<Platform, 'causes'>[] = Object.values(platforms),
): string | undefined =>
  all
    .map(({ causes }) => (Object.hasOwn(causes, code) ? causes[code] : undefined))
    .find((words) => words !== undefined);
