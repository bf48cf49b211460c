import type { FirewallConfig } from '../config/schema.js';
import { pfsense } from './pfsense/pfsense.js';
import type { Platform } from './platform.js';

/** Every platform that a configuration may name. */
const platforms: Readonly<Record<FirewallConfig['platform'], Platform>> = { pfsense };

export const platformOf = ({ platform }: Pick<FirewallConfig, 'platform'>): Platform => platforms[platform];

/** The text for a role's error code, from any platform; undefined if the code itself reads well. */
export const findCauseText = (
  code: string,
  all: readonly Pick<Platform, 'causes'>[] = Object.values(platforms),
): string | undefined =>
  all.map(({ causes }) => (Object.hasOwn(causes, code) ? causes[code] : undefined)).find((text) => text !== undefined);
