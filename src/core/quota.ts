/** An alarm over SSH that is being served. */
export interface Session {
  /** The address of the SSH client, if known. */
  caller?: string | undefined;
  /** One at a time, which leaves room for alarms. */
  isDryRun: boolean;
}

export interface Quota {
  maxSessions: number;
  maxPerCaller: number;
}

/** Whether one more may be served: the sessions are limited in total and per caller, dry runs to one at a time. */
export function hasRoom(served: readonly Session[], next: Session, { maxSessions, maxPerCaller }: Quota): boolean {
  const ofCaller = served.filter(({ caller }) => caller !== undefined && caller === next.caller);
  if (served.length >= maxSessions || ofCaller.length >= maxPerCaller) return false;
  return !(next.isDryRun && served.some(({ isDryRun }) => isDryRun));
}
