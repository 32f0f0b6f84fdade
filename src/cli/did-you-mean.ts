/** Suggestions for misspelt names. */

import { closestMatch } from 'leven'

/** Maximum edit distance. */
const MAX_DISTANCE = 2

/** The closest of `names`, as the end of a message; without any, that `-help` lists them. */
export function didYouMean(name: string, names: readonly string[], shown: (name: string) => string): string {
  const plain = (text: string) => text.replaceAll(/[-_]/g, '').toLowerCase()
  const meant =
    names.find(other => plain(other) === plain(name)) ??
    // Short names are close to many others.
    (name.length > MAX_DISTANCE ? closestMatch(name, names, { maxDistance: MAX_DISTANCE }) : undefined)
  return meant === undefined ? '-help lists them' : `did you mean ${shown(meant)}?`
}
