/** Text from elsewhere in error messages. */

/** At most `length` characters on one line: each run of white space and invisible characters becomes one space, `…` marks what was cut. */
export function oneLine(text: string, length: number): string {
  // Cut to a multiple first: the text may be long.
  const line = text
    .slice(0, 4 * length)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
