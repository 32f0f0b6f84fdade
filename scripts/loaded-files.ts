/** What the entries and commands of the built package load, directly or not. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files that a module imports or, as a thread, starts. */
const IMPORT = /(?:\bfrom ?|\bimport ?\(? ?|new URL\()[`'"](\.\.?\/[^`'"]+)[`'"]/g

/** Of doc comments, whose examples load nothing. */
const COMMENT_LINE = /^\s*(?:\/\*)?\*.*$/gm

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
}

/** Paths of modules, their source maps and types. @param folder of the package. */
export function loadedFiles(folder: string): Set<string> {
  const { exports, bin }: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entries = Object.values(exports).flatMap(entry => (typeof entry === 'string' ? [] : Object.values(entry)))
  const loaded = new Set([...entries, ...Object.values(bin)].map(path => join(folder, path)))
  for (const path of loaded) {
    if (path.endsWith('.map')) continue
    const text = readFileSync(path, 'utf8')
    for (const [, target = ''] of text.replaceAll(COMMENT_LINE, '').matchAll(IMPORT)) {
      const module = join(dirname(path), target)
      loaded.add(path.endsWith('.d.ts') ? module.replace(/\.[jt]s$/, '.d.ts') : module)
    }
    if (text.includes('//# sourceMappingURL=')) loaded.add(`${path}.map`)
  }
  return loaded
}
