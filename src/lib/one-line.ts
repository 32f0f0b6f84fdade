/** Text from elsewhere in error messages. */

/** At most `length` characters of it on one line: white space and what does not show is one space, `…` stands for the rest. */
export function oneLine(text: string, length: number): string {
  // A multiple first, since the text may be long.
  const line = text
    .slice(0, 4 * length)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
