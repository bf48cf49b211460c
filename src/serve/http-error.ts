import { FirebreakError, type ErrorCode, type Problem } from '../core/errors.js';
import { jsonPathOf } from '../intake/http-alarms.js';

interface Explanation {
  message: string;
  problems?: readonly Problem[];
  retryAfter?: number;
}

/** An error with its status, as every route answers it. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problems: readonly Problem[];
  /** Seconds after which the request may be sent again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, text: string | Explanation) {
    const more: Explanation = typeof text === 'string' ? { message: text } : text;
    super(more.message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.problems = more.problems ?? [];
    this.retryAfter = more.retryAfter;
  }
}

/** Statuses of errors that are the caller's; all others are ours. */
const statuses: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  alarm_invalid: 400,
  firewall_unknown: 400,
  block_unknown: 404,
};

/** The error as the caller meets it; undefined for a bug, of which the caller learns nothing. */
export function toHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (!(error instanceof FirebreakError)) return undefined;
  const status = statuses[error.code];
  if (status === undefined)
    return new HttpError(503, error.code, { message: 'not recorded, send it again', retryAfter: 5 });
  const problems = error.problems.map(({ path, message }) => ({ path: jsonPathOf(path), message }));
  return new HttpError(status, error.code, {
    message: problems.length > 0 ? describeAll(problems) : error.message,
    problems,
  });
}

export const describeAll = (problems: readonly Problem[]): string =>
  problems.length === 1 ? '1 problem with the request' : `${problems.length} problems with the request`;

export const errorBody = ({ code, message, problems }: HttpError): object => ({
  error: { code, message, ...(problems.length > 0 && { problems }) },
});
