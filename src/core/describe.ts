const errnoTexts: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EEXIST: 'a file is in the way',
  EISDIR: 'is a folder',
  ENOTDIR: 'not a folder',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this host',
  EDQUOT: 'no space left within the quota',
  EIO: 'the disk reports an error',
};

/** Describes a failed call in plain English: by its errno, otherwise by the error's own message. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (code === undefined ? undefined : errnoTexts[code]) ?? error.message;
}

/** Why a file cannot be read, and what is required. */
export const describeUnreadable = (file: string, error: unknown): string =>
  `${file}: ${describeError(error)}; it must be a file that this account may read`;
