import { cleanText } from '../core/description.js';
import { describeProblem } from '../core/errors.js';
import type { Flow } from '../core/flow.js';
import type { Platform } from './platform.js';

export interface FittedRule {
  description: string;
  /** Why the firewall could not block the flow, whatever the policy says; undefined if it could. */
  refusal: string | undefined;
}

/** Adapts a requested rule to the firewall's platform. */
export function fitToPlatform(
  { maxDescription, problemsOf }: Pick<Platform, 'maxDescription' | 'problemsOf'>,
  { flow, description }: { flow: Flow; description: string },
): FittedRule {
  const problems = problemsOf(flow);
  return {
    description: cleanText(description, maxDescription),
    refusal: problems.length === 0 ? undefined : `refused: ${problems.map(describeProblem).join('; ')}`,
  };
}
