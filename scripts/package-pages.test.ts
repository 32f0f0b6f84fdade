/** What the published package has beside code: pages, the files that they link to, and nothing else. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { reachedFrom, targetsOf } from './doc-links.ts'

/** Files that package.json and its tools name, rather than pages. */
const NAMED = ['LICENSE', 'package.json']

/** Those of the package, without what is built. */
let files: Set<string>
beforeAll(() => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
  const [packed] = Object.values(JSON.parse(listed) as Record<string, { files: { path: string }[] }>)
  files = new Set(packed?.files.map(({ path }) => path).filter(path => !path.startsWith('dist/')))
})

const read = (path: string) => readFileSync(path, 'utf8')
const isFolder = (target: string) => [...files].some(path => path.startsWith(`${target}/`))

test('the package has every file that its pages link to (write the path of a test or source as code instead)', () => {
  const pages = [...files].filter(path => path.endsWith('.md'))
  expect(pages).toContain('docs/understand/protocol/framing.md')
  const missing = pages.flatMap(page =>
    targetsOf(page, read(page))
      .filter(target => !files.has(target) && !isFolder(target))
      .map(target => `${page}: ${target}`),
  )
  expect(missing).toEqual([])
})

test('the package has no page and no file that nothing links to', () => {
  const reached = reachedFrom('README.md', { files, read })
  expect([...files].filter(path => !reached.has(path) && !NAMED.includes(path))).toEqual([])
})
