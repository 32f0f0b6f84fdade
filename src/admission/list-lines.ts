/** Lists in files: one entry per line, blank lines and comments allowed. Pure. */

/** Parses each line with `parse`; `#` starts a comment. @throws Error naming the line. */
export function parseLines<T>(text: string, parse: (line: string) => T): T[] {
  const entries: T[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const entry = line.replace(/(^|\s)#.*/, '').trim()
    if (entry === '') continue
    try {
      entries.push(parse(entry))
    } catch (error) {
      throw new Error(`line ${at + 1}: ${(error as Error).message}`, { cause: error })
    }
  }
  return entries
}
