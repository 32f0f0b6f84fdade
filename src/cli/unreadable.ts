/** Why a file could not be read, and what fixes it. Node's words have the path again, which the message has already. */

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
}

/** Reason and remedy of a file that could not be read. */
export function unreadable(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return `${REASONS[code] ?? message}; name a readable file`
}
