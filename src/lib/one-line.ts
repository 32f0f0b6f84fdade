/** Text from elsewhere in error messages. */

/** At most `length` characters of it on one line: white space and what does not show is one space. */
export function oneLine(text: string, length: number): string {
  // A multiple first, since the text may be long.
  return text
    .slice(0, 4 * length)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, length)
}
