/** The pages with numbered clauses. */

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** The index of the protocol's pages. */
export const readClauseIndex = (): string => read('docs/understand/protocol/README.md')

/** Texts of the protocol's pages, by file name, without their index. */
export function readProtocolPages(): Map<string, string> {
  const paths = globSync('docs/understand/protocol/*.md', { cwd: ROOT }).sort()
  const pages = new Map(paths.map(path => [basename(path), read(path)]))
  pages.delete('README.md')
  return pages
}

/** The rules of regions, which go on with the numbers of the protocol. */
export const readRegionPage = (): string => read('docs/understand/region.md')

/** Where this implementation departs from the original. */
export const readDifferences = (): string => read('docs/understand/differences.md')

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
