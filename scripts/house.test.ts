import { expect, test } from 'vitest'
import { countFiles, countLines, countTranslated, measureHouse } from './house.ts'

const texts = (entries: Record<string, string>) => new Map(Object.entries(entries))

test('house: counts files in their own folder, not in parents', () => {
  const counts = countFiles(['src/a.ts', 'src/lib/b.ts', 'src/lib/c.ts', 'src/lib/deep/d.ts'])
  expect(Object.fromEntries(counts)).toEqual({ src: 1, 'src/lib': 2, 'src/lib/deep': 1 })
})

test('house: a final newline does not count as a line', () => {
  const counts = countLines(texts({ whole: 'a\nb\n', open: 'a\nb' }))
  expect(Object.fromEntries(counts)).toEqual({ whole: 2, open: 2 })
})

test('house: translated words are whole words in any case; phrases may span comment lines', () => {
  const counts = countTranslated(
    texts({
      words: 'Whoever asks, to whom: a sibling, its Siblings',
      phrases: ' * these have no like; it is over after 8s; they are sent\n * away\n// and sent\n// away',
      parts: 'SiblingLink, siblings_total, whomever, the client is over its limit after 8s',
    }),
  )
  expect(Object.fromEntries(counts)).toEqual({ words: 4, phrases: 4 })
})

test('house: each measure reports its maximum, and a problem for everything above its limit', () => {
  const sources = texts({ 'src/a.ts': '1\n2\n3\n', 'src/b.ts': '1\n2\n3\n', 'src/lib/c.ts': '1\n' })
  const limits = { filesInFolder: 1, linesInFile: 2, translatedWords: 1 }
  const measures = measureHouse(sources, texts({ 'README.md': 'whoever\nwhom\n' }), limits, { 'src/b.ts': 3 })
  expect(measures).toEqual([
    {
      line: 'files in a folder: 2 in src, at most 1',
      problems: ['src: 2 files in a folder, at most 1; split it'],
    },
    {
      line: 'lines in a file: 3 in src/a.ts, at most 2',
      problems: ['src/a.ts: 3 lines in a file, at most 2; split it'],
    },
    {
      line: 'translated words: 2, at most 1',
      problems: ['2 translated words, at most 1; say it plainly in README.md (2)'],
    },
  ])
})

test('house: everything within its limits has no problems', () => {
  const measures = measureHouse(texts({ 'src/a.ts': 'export {}\n' }), texts({ 'README.md': 'plain\n' }))
  expect(measures.map(({ problems }) => problems)).toEqual([[], [], []])
})
