/** Measures of the source tree with limits: files per folder, lines per file, words. Pure; check-house.ts reads the files. */

export interface Limits {
  readonly filesInFolder: number
  readonly linesInFile: number
  readonly translatedWords: number
}

/** Limits; they may only be lowered. */
export const LIMITS: Limits = { filesInFolder: 25, linesInFile: 320, translatedWords: 10 }

/** Files above the limit, with their own limit until they are split. */
export const LONG_FILES: Readonly<Record<string, number>> = {}

// Archaic or translated words and phrases; in comments a phrase may span lines.
const TRANSLATED =
  /\b(?:whoever|whom|thereof|have[\s*/]+no[\s*/]+like|is[\s*/]+over[\s*/]+after|sent[\s*/]+away|siblings?)\b/gi

/** Texts by path. */
export type Texts = ReadonlyMap<string, string>

/** One measure of the tree. */
export interface Measure {
  /** The measured values in one line. */
  readonly line: string
  /** Everything above its limit, with path and remedy. */
  readonly problems: readonly string[]
}

/** Number of files directly in each folder. */
export function countFiles(paths: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return counts
}

/** Number of lines in each text. */
export function countLines(texts: Texts): Map<string, number> {
  return new Map(Array.from(texts, ([path, text]) => [path, text.split('\n').length - (text.endsWith('\n') ? 1 : 0)]))
}

/** Number of translated words by text, without zeros. */
export function countTranslated(texts: Texts): Map<string, number> {
  const counts = Array.from(texts, ([path, text]) => [path, text.match(TRANSLATED)?.length ?? 0] as const)
  return new Map(counts.filter(([, count]) => count > 0))
}

/** Measures sources (without tests) and prose (documents and comments). */
export function measureHouse(sources: Texts, prose: Texts, limits = LIMITS, longFiles = LONG_FILES): Measure[] {
  return [
    measureEach('files in a folder', countFiles(sources.keys()), () => limits.filesInFolder),
    measureEach('lines in a file', countLines(sources), path => longFiles[path] ?? limits.linesInFile),
    measureWords(countTranslated(prose), limits.translatedWords),
  ]
}

function measureEach(name: string, counts: ReadonlyMap<string, number>, limitOf: (path: string) => number): Measure {
  const [most = 'nowhere', count = 0] = largestFirst(counts)[0] ?? []
  const above = Array.from(counts).filter(([path, count]) => count > limitOf(path))
  return {
    line: `${name}: ${count} in ${most}, at most ${limitOf(most)}`,
    problems: above.map(([path, count]) => `${path}: ${count} ${name}, at most ${limitOf(path)}; split it`),
  }
}

function measureWords(counts: ReadonlyMap<string, number>, limit: number): Measure {
  const total = Array.from(counts.values()).reduce((sum, count) => sum + count, 0)
  const where = largestFirst(counts).map(([path, count]) => `${path} (${count})`)
  return {
    line: `translated words: ${total}, at most ${limit}`,
    problems:
      total > limit ? [`${total} translated words, at most ${limit}; say it plainly in ${where.join(', ')}`] : [],
  }
}

function largestFirst(counts: ReadonlyMap<string, number>): [string, number][] {
  return Array.from(counts).sort(([, a], [, b]) => b - a)
}
